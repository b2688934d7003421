// Header fields as they came or as they will be sent, whatever their names.
//
// Thread: any, one object on one.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::server::http {

class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  // The value of the first field of that name, in any case of letters; null when there is none.
  const std::string* Find(std::string_view name) const;
  // The same, empty when there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Whether the field is a list of words with commas that holds the word, in any case of letters.
  bool HasToken(std::string_view name, std::string_view token) const;

  void Add(std::string name, std::string value);
  // Replaces every field of that name.
  void Set(std::string name, std::string value);
  void Erase(std::string_view name);

  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

bool EqualIgnoringCase(std::string_view a, std::string_view b);
// Without blanks and tabs at both ends.
std::string_view Trim(std::string_view text);
// The parts between commas, trimmed, empty ones left out. Quoted commas separate, too: nothing that
// is read with it has any.
std::vector<std::string_view> SplitList(std::string_view text);

// What RFC 9110 allows as a field's name, and as its value: no control character but a tab, so that
// nothing a handler sets can begin another field or end the head.
bool IsFieldName(std::string_view name);
bool IsFieldValue(std::string_view value);

}  // namespace stele::server::http
