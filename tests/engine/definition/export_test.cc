// Every definition can be written in every notation and is the same when it is read again.

#include "engine/definition/export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/definition/canonical.h"
#include "engine/definition/portrait.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

constexpr Dialect kAll[] = {Dialect::kProcesses,    Dialect::kSteps,        Dialect::kNodes,
                            Dialect::kProcessSteps, Dialect::kOrderedTasks, Dialect::kCanonical};

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(STELE_SOURCE_DIR "/" + folder))
    if (const auto ending = entry.path().extension();
        ending == ".yml" || ending == ".yaml" || ending == ".json")
      files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

// Writes the definition in every notation and syntax, reads it and writes it again.
void ExpectRoundTrips(const Definition& definition, const std::string& what) {
  const Portrait portrait = PortraitOf(definition);
  for (const Dialect dialect : kAll)
    for (const Syntax syntax : {Syntax::kYaml, Syntax::kJson}) {
      const std::string where = what + " as " + std::string(DialectName(dialect));
      const auto text = Export(definition, dialect, syntax);
      ASSERT_TRUE(text.has_value()) << where << ": " << text.error().ToString();
      const LoadResult again = Load(*text, syntax, "unnamed");
      ASSERT_TRUE(again.has_value())
          << where << ": " << FormatFault("text", again.error()[0]) << "\n"
          << *text;
      EXPECT_TRUE(SamePortrait(portrait, PortraitOf(**again))) << where << "\n" << *text;
      const auto twice = Export(**again, dialect, syntax);
      ASSERT_TRUE(twice.has_value()) << where << ": " << twice.error().ToString();
      EXPECT_EQ(*twice, *text) << where;
      if (dialect != Dialect::kCanonical) {
        EXPECT_EQ((*again)->dialect, DialectName(dialect)) << where << "\n" << *text;
      }
    }
}

void ExpectFolderRoundTrips(const std::string& folder, size_t least) {
  size_t loaded = 0;
  for (const std::string& file : FilesIn(folder)) {
    // A part of a definition, and schemas of task types.
    if (file.ends_with("/retry-policy.yml") || file.ends_with("-schema.json")) continue;
    const LoadResult result = LoadFile(file);
    ASSERT_TRUE(result.has_value()) << file << ": " << FormatFault("", result.error()[0]);
    ++loaded;
    ExpectRoundTrips(**result, file);
  }
  EXPECT_GE(loaded, least);
}

TEST(Export, PrintedDefinitionsSurviveEveryNotation) {
  ExpectFolderRoundTrips("tests/engine/definition/printed", 11);
}

TEST(Export, DefinitionsOfOtherEnginesSurviveEveryNotation) {
  ExpectFolderRoundTrips("tests/engine/definition/notations", 12);
}

TEST(Export, ExamplesSurviveEveryNotation) {
  ExpectFolderRoundTrips("examples", 6);
  ExpectFolderRoundTrips("examples/types", 20);
}

// What few notations can say: odd ids, handlers inside loops, failures, defaults, loops of the
// graph, limits, configurations that hold the notations' own words.
constexpr std::string_view kHard = R"({
"format_version": 1, "name": "", "title": "Hard", "tags": ["a", "yes"], "deadline_us": 1500001,
"priority": -3, "concurrency": {"key": "{{ input.who }}", "limit": 2},
"rate": {"count": 5, "per_us": 60000000}, "outputs": [["plain", "no template"], ["n", "{{ 1 + 1 }}"]],
"input_schema": {"type": "object", "properties": {"who": {"type": "string"}}},
"triggers": [{"type": "webhook", "config": {"path": "/hard"}}],
"extra": {"edges": {"a->b": {"label": "on"}}, "graph": {"zoom": 1.0}, "other": [1, 1.0, "1"]},
"bodies": [
 {"id": "root", "entries": [0, 5, 10], "strategy": "park", "fallback": 4,
  "variables": [{"name": "v", "type": "string", "initial": "x"}, {"name": "w", "required": true}]},
 {"id": "inner", "name": "Inside", "entries": [6], "strategy": "compensate", "fallback": 8,
  "variables": [{"name": "own", "type": "integer", "initial": 3}]}],
"steps": [
 {"id": "a b, c", "name": "A", "kind": "start", "type": "start"},
 {"id": "start", "type": "script", "config": {"script": "x", "timeout": 5, "steps": 1},
  "split": "first", "retry": {"max_attempts": 2, "jitter": 0.25, "multiplier": 3.5}},
 {"id": "end", "type": "http", "config": {"url": "u"}, "join": "any", "optional": true,
  "returnable": false, "compensation": 3, "timeout_us": 1},
 {"id": "undo", "type": "odd type", "handler": true},
 {"id": "instead", "type": "http", "handler": true, "config": {"webhook": 1}},
 {"id": "数据", "kind": "loop", "type": "loop", "child": 1,
  "loop": {"mode": "times", "items": "{{ 3 }}", "item_name": "n", "max_concurrent": 2}},
 {"id": "x", "type": "script", "body": 1, "fallback": 9, "condition": "input.a is not null"},
 {"id": "y", "type": "agent", "body": 1, "inputs": [["in", "{{ steps.nowhere.output }}"]],
  "outputs": [["literal", "some text"]]},
 {"id": "z", "type": "script", "body": 1, "handler": true},
 {"id": "zz", "type": "script", "body": 1, "handler": true},
 {"id": "head", "kind": "gateway", "type": "of some kind"},
 {"id": "tail", "kind": "delay", "type": "pause", "delay": {"not": "usual"}, "extra": {"priority": 3, "size": null, "k": 1}},
 {"id": "alone", "kind": "end", "type": "end", "join": "n_of_m", "join_count": 2}],
"transitions": [
 {"from": 0, "to": 1}, {"from": 1, "to": 2, "on": "failure", "condition": "outputs.kind == 'x'"},
 {"from": 1, "to": 12, "default": true}, {"from": 1, "to": 2, "condition": "completed"},
 {"from": 2, "to": 12, "on": "completion"}, {"from": 2, "to": 12, "condition": "success"},
 {"from": 6, "to": 7}, {"from": 7, "to": 6, "condition": "loop.index < 3"},
 {"from": 10, "to": 11}, {"from": 11, "to": 10, "condition": "not input.done"}]})";

TEST(Export, WhatANotationCannotSayStandsBesideIt) {
  const LoadResult hard = Load(kHard, Syntax::kJson, "unnamed");
  ASSERT_TRUE(hard.has_value()) << FormatFault("hard", hard.error()[0]);
  ExpectRoundTrips(**hard, "hard");
}

// The definition with a value of its own for every member of the top level and of the root.
Definition WithEveryMember(const Definition& definition) {
  Definition full = definition;
  const LoadResult hard = Load(kHard, Syntax::kJson, "unnamed");
  if (!hard) return full;
  full.name = "full";
  full.title = "Everything";
  full.version = "7";
  full.description = "All that can be said";
  full.tags = {"one", "2"};
  full.outputs = {{"n", (*hard)->outputs[1].value}};
  full.deadline_us = 90'000'000;
  full.priority = 4;
  full.concurrency = (*hard)->concurrency;
  full.rate = {3, 250'000};
  full.input_schema = (*hard)->input_schema;
  full.input_check = (*hard)->input_check;
  full.triggers = (*hard)->triggers;
  full.bodies[0].strategy = Strategy::kCompensate;
  full.bodies[0].variables.push_back({"added", "integer", Value(5), false});
  return full;
}

TEST(Export, EveryMemberOfTheTopSurvivesEveryNotation) {
  for (const std::string folder :
       {"examples", "tests/engine/definition/printed", "tests/engine/definition/notations"})
    for (const std::string& file : FilesIn(folder))
      if (const LoadResult loaded = LoadFile(file))
        ExpectRoundTrips(WithEveryMember(**loaded), file + " with every member");
}

TEST(Export, EveryNotationHasWordsForHowADefinitionIsExecuted) {
  const auto definition = LoadYaml(
      "name: limited\ntimeout: 2m\npriority: 7\nconcurrency: {key: '{{ input.who }}', limit: 2}\n"
      "rate_limit: {count: 5, per: 1m}\ninput_schema: {type: object, required: [who]}\n"
      "steps: [{id: a, type: script, config: {command: 'true'}}]\n");
  for (const Dialect dialect : kAll) {
    if (dialect == Dialect::kCanonical) continue;
    const auto text = Export(*definition, dialect, Syntax::kYaml);
    ASSERT_TRUE(text.has_value()) << text.error().ToString();
    const size_t stele = text->find("stele:");
    for (const std::string_view key :
         {"timeout:", "priority:", "concurrency:", "rate_limit:", "input_schema:"})
      EXPECT_LT(text->find(key), std::min(stele, text->size())) << key << "\n" << *text;
  }
}

TEST(Export, OfWhatItReadIsTheSameInItsOwnNotation) {
  for (const std::string& file : FilesIn("tests/engine/definition/notations")) {
    const LoadResult loaded = LoadFile(file);
    ASSERT_TRUE(loaded.has_value()) << FormatFault(file, loaded.error()[0]);
    const auto text = Export(**loaded, *FindDialect((*loaded)->dialect), Syntax::kYaml);
    ASSERT_TRUE(text.has_value()) << file;
    // Its own words say nearly all of it.
    if (file.ends_with("score.json") || file.ends_with("amount.json") ||
        file.ends_with("release.json") || file.ends_with("graphical.yml")) {
      EXPECT_EQ(text->find("stele:"), std::string::npos) << *text;
    }
  }
}

TEST(Export, NamesItsNotations) {
  for (const Dialect dialect : kAll) EXPECT_EQ(FindDialect(DialectName(dialect)), dialect);
  EXPECT_EQ(FindDialect("bpmn"), std::nullopt);
  EXPECT_EQ(DialectNames().size(), std::size(kAll));
}

TEST(Export, TheCanonicalFormInYamlIsTheRecordedOne) {
  const auto definition = LoadYaml(ReadPrinted("conditional-workflow.yml"));
  const auto yaml = Export(*definition, Dialect::kCanonical, Syntax::kYaml);
  ASSERT_TRUE(yaml.has_value());
  const LoadResult again = Load(*yaml, Syntax::kYaml, "unnamed");
  ASSERT_TRUE(again.has_value()) << *yaml;
  EXPECT_EQ(WriteCanonical(**again), WriteCanonical(*definition));
}

}  // namespace
}  // namespace stele::definition::testing
