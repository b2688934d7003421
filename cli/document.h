// A document that a view or a server has made, to print from. What is not there, or not of the
// kind, reads as nothing: a server may be of another build.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/value.h"

namespace stele::cli {

class Document {
 public:
  // Refers to the value, which outlives it.
  explicit Document(const Value* value) : value_(value) {}
  explicit Document(const Value& value) : value_(&value) {}

  Document operator[](std::string_view member) const {
    return Document(value_ == nullptr ? nullptr : value_->Find(member));
  }
  // Null: there is none.
  const Value* value() const { return value_; }
  bool is_null() const { return value_ == nullptr || value_->is_null(); }
  bool is_true() const { return value_ != nullptr && value_->is_bool() && value_->as_bool(); }
  int64_t whole() const { return value_ != nullptr && value_->is_int() ? value_->as_int() : 0; }
  double number() const {
    return value_ != nullptr && value_->is_number() ? value_->as_double() : 0;
  }
  TimeUs time() const { return TimeUs(whole()); }
  std::string text() const {
    return value_ != nullptr && value_->is_string() ? value_->as_string() : "";
  }
  const Array& items() const {
    static const Array kNone;
    return value_ != nullptr && value_->is_array() ? value_->as_array() : kNone;
  }

 private:
  const Value* value_;
};

}  // namespace stele::cli
