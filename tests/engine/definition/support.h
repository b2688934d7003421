// How the tests of definitions load and look at graphs: as a few lines of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/load.h"

namespace stele::definition::testing {

// The definition; a test fails, naming the faults, when there is none.
std::shared_ptr<const Definition> LoadYaml(std::string_view text);
std::shared_ptr<const Definition> LoadJson(std::string_view text);

// "3:5 STL0104 Expected …" for each fault; empty when the text loads.
std::vector<std::string> FaultsOf(std::string_view text, Syntax syntax = Syntax::kYaml);

// A line a step ("id type", its body's id before it unless that is the root, then what is not as
// usual: "join=any", "first", "if …", "handler", "undo=x", "fallback=x") and a line a transition
// ("a -> b", then "failure", "if …", "default", "back").
std::string Shape(const Definition& definition);

// The ids of the steps that start with the body.
std::string Entries(const Definition& definition, uint32_t body = 0);

std::string ReadPrinted(const std::string& name);
std::vector<std::string> PrintedNames();

}  // namespace stele::definition::testing
