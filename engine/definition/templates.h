// Definitions with parameters, and steps that are written once and used often.
//
// A definition with `parameters: [{name, type, default, required, description}]` is a template: any
// string in it may hold placeholders `<<name>>`. A string that is one placeholder becomes the
// parameter's value with its type, in others the value becomes text; `\<<` is a plain `<<`.
//
// `templates: {name: {parameters: […], step: {…}}}` at the top holds step templates, which a step
// takes with `use: name, with: {…}`; what the step says itself goes before. `<<id>>` is the id of
// the step that uses it.
//
// All of it happens on the document tree, before any notation is read. What comes out is held to
// the limits of a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "engine/definition/document.h"
#include "engine/definition/load.h"

namespace stele::definition {

struct TemplateText {
  std::string text;  // a mapping with `step`, and `parameters` where it has some
  Syntax syntax = Syntax::kYaml;
  bool operator==(const TemplateText&) const = default;
};

// Step templates from outside the file, such as a registry's.
class TemplateSource {
 public:
  virtual ~TemplateSource() = default;
  virtual std::optional<TemplateText> Find(std::string_view name) const = 0;
};

struct Parameter {
  std::string name;
  std::string type = "any";  // value_types.h
  Value initial;             // what it is when nothing is given
  bool required = false;
  std::string description;
};

// What a definition may be given; empty when it is no template.
std::expected<std::vector<Parameter>, std::vector<Fault>> ParametersOf(std::string_view text,
                                                                       Syntax syntax);

// The definition that a template and values for its parameters make. Faults have their places in
// the template's text; those of values that nobody asked for stand at `parameters`. `rest` is as in
// load.h.
LoadResult Instantiate(std::string_view text, Syntax syntax, const Object& parameters,
                       std::string_view fallback_name, const TemplateSource* source = nullptr,
                       Definition* rest = nullptr);

// Expands the tree in place: `parameters` and `templates` are gone, every placeholder has its
// value, every `use` its step. False when it added faults; the tree is of no use then.
bool ExpandTemplates(Node& root, const Object& parameters, const TemplateSource* source,
                     Faults& faults);

}  // namespace stele::definition
