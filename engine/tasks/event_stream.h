// Reads server-sent events as they come. Source: the WHATWG's HTML standard, "Server-sent events",
// 9.2.6. Only the data of events is kept; their names and ids are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::tasks {

class EventStream {
 public:
  // `limit`: the bytes of one event.
  explicit EventStream(size_t limit) : limit_(limit) {}

  // Appends the data of the events that end in this piece. False when one is longer than the limit;
  // nothing may be pushed after that.
  bool Push(std::string_view piece, std::vector<std::string>& events);

 private:
  bool TakeLine(std::vector<std::string>& events);

  size_t limit_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  // a line feed that follows belongs to the line before it
  bool at_start_ = true;       // a byte order mark may stand here
};

}  // namespace stele::tasks
