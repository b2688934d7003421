// A course of requests as text, so that a corpus can be read and written by hand, and mutations of
// it that know where a request begins and what JSON is: those of single bytes rarely get past the
// reader of JSON.
//
//     POST /workflows                    a method at the start of a line begins a request
//     {"name": "demo"}                   what follows is its body
//     WAIT 60000                         the clock moves by so many milliseconds
//
// Thread: one.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stele::fuzz {

struct ScriptedRequest {
  std::string verb;  // of kVerbs
  std::string target;
  std::string body;
};

// Any text is one: what stands before the first verb is left out.
std::vector<ScriptedRequest> ReadScript(std::string_view text);
std::string WriteScript(const std::vector<ScriptedRequest>& script);

// What requests are made of beside those that are there already.
struct Vocabulary {
  struct Route {
    std::string verb;
    std::string pattern;  // "/workflows/{id}"
    std::vector<std::string> parameters;
  };
  std::vector<Route> routes;
  std::vector<std::string> members;
  std::vector<std::string> words;  // that stand as texts in documents
};

// One mutation after another, by the seed alone.
class ScriptMutator {
 public:
  // `vocabulary` outlives it. REQUIRES: it has routes, members and words.
  ScriptMutator(const Vocabulary& vocabulary, uint64_t seed)
      : vocabulary_(vocabulary), random_(seed) {}

  void Mutate(std::vector<ScriptedRequest>& script);

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& OneOf(const std::vector<std::string>& texts) {
    return texts[Below(texts.size())];
  }
  ScriptedRequest AnyRequest();
  void MutateTarget(std::string& target);
  void MutateBody(std::string& body);
  void MutateValue(Value& value);
  void MutateObject(Object& object);
  Value AnyValue();

  const Vocabulary& vocabulary_;
  std::mt19937_64 random_;
};

}  // namespace stele::fuzz
