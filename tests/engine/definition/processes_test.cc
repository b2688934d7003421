#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

// One process of script tasks `ids`, with the rest of the process's keys.
std::string OneProcess(std::string_view type, std::initializer_list<std::string_view> ids,
                       std::string_view rest) {
  std::string text = "workflow:\n  id: w\n  processes:\n  - id: main\n    type: ";
  text += std::string(type) + "\n    tasks:\n";
  for (const std::string_view id : ids)
    text += "    - {id: " + std::string(id) + ", type: script}\n";
  return text + std::string(rest);
}

TEST(Processes, SequentialTasksWithoutTransitionsFollowTheFile) {
  const auto definition = LoadYaml(OneProcess("sequential", {"a", "b", "c"}, ""));
  EXPECT_EQ(Shape(*definition), "a script\nb script\nc script\na -> b\nb -> c\n");
}

TEST(Processes, ParallelTasksWithoutTransitionsStartAtOnce) {
  const auto definition = LoadYaml(OneProcess("parallel", {"a", "b"}, ""));
  EXPECT_EQ(Shape(*definition), "a script\nb script\n");
  EXPECT_EQ(Entries(*definition), "a b");
}

TEST(Processes, EveryConditionKeywordHasItsMeaning) {
  const auto definition =
      LoadYaml(OneProcess("conditional", {"a", "b", "c", "d", "e", "f"},
                          "    transitions:\n"
                          "    - {from: a, to: b, condition: failure}\n"
                          "    - {from: a, to: c, condition: always}\n"
                          "    - {from: a, to: d}\n"
                          "    - {from: [b, c], to: e, condition: any_completed}\n"
                          "    - {from: 'd, e', to: f, condition: all_completed}\n"));
  EXPECT_EQ(Shape(*definition),
            "a script\nb script\nc script\nd script\ne script join=any\nf script\n"
            "a -> b failure\na -> c completion\na -> d\nb -> e\nc -> e\nd -> f\ne -> f\n");
}

TEST(Processes, ATaskWithADefaultTakesTheFirstTransitionThatHolds) {
  const auto definition = LoadYaml(OneProcess("conditional", {"a", "b", "c"},
                                              "    transitions:\n"
                                              "    - {from: a, to: b, condition: 'outputs.x > 1'}\n"
                                              "    - {from: a, to: c, condition: default}\n"));
  EXPECT_EQ(Shape(*definition),
            "a script first\nb script\nc script\na -> b if outputs.x > 1\na -> c default\n");
}

TEST(Processes, WhatATransitionSaysForPeopleIsKept) {
  const auto definition = LoadYaml(
      OneProcess("conditional", {"a", "b", "c"},
                 "    transitions:\n"
                 "    - {from: a, to: [b, c], label: on, style: {dash: 2}, priority: 1}\n"));
  const Value* edges = definition->extra.Find("edges");
  ASSERT_NE(edges, nullptr);
  const std::string kept = R"({"label":"on","style":{"dash":2},"priority":1})";
  EXPECT_EQ(ToJson(*edges), R"({"a->b":)" + kept + R"(,"a->c":)" + kept + "}");
}

TEST(Processes, StartIsAStepOnlyWhereItDecidesSomething) {
  const auto definition = LoadYaml(OneProcess("conditional", {"a", "b"},
                                              "    transitions:\n"
                                              "    - {from: start, to: a, condition: 'input.x'}\n"
                                              "    - {from: start, to: b}\n"));
  EXPECT_EQ(Shape(*definition),
            "start start\na script\nb script\nstart -> a if input.x\nstart -> b\n");
  EXPECT_EQ(Entries(*definition), "start");
}

TEST(Processes, EndIsAStepOnlyWhereItDecidesSomething) {
  const std::string plain = OneProcess("sequential", {"a", "b"},
                                       "    transitions:\n"
                                       "    - {from: start, to: a}\n"
                                       "    - {from: a, to: b}\n"
                                       "    - {from: b, to: end}\n");
  EXPECT_EQ(Shape(*LoadYaml(plain)), "a script\nb script\na -> b\n");
  const std::string failure = OneProcess("sequential", {"a", "b"},
                                         "    transitions:\n"
                                         "    - {from: a, to: b}\n"
                                         "    - {from: a, to: end, condition: failure}\n");
  EXPECT_EQ(Shape(*LoadYaml(failure)), "a script\nb script\nend end\na -> b\na -> end failure\n");
  const std::string alone =
      OneProcess("sequential", {"a"}, "    transitions:\n    - {from: a, to: end}\n");
  EXPECT_EQ(Shape(*LoadYaml(alone)), "a script\n");
}

TEST(Processes, SeveralRunOneAfterAnother) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n"
      "  - {id: build, name: Build it, tasks: [{id: compile, type: script}]}\n"
      "  - {id: deploy, tasks: [{id: deploy, type: script}]}\n");
  EXPECT_EQ(Shape(*definition),
            "build sub_process\nprocess:deploy sub_process\nbuild/compile script\n"
            "deploy/deploy script\nbuild -> process:deploy\n");
  EXPECT_EQ(definition->bodies[1].owner, StepIndex(0));
  EXPECT_EQ(definition->steps[0].name, "Build it");
}

TEST(Processes, ASubProcessIsRunByItsTask) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n"
      "  - id: main\n    tasks:\n"
      "    - {id: a, type: script}\n"
      "    - {id: run, type: sub_process, inputs: {process: inner}}\n"
      "  - {id: inner, type: sub_process, tasks: [{id: b, type: script}]}\n");
  EXPECT_EQ(Shape(*definition), "a script\nrun sub_process\ninner/b script\na -> run\n");
  EXPECT_EQ(definition->FindStep("run")->child, BodyIndex(1));
}

TEST(Processes, ALoopProcessRunsItsBodyAgain) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n"
      "  - id: each\n    type: loop\n"
      "    loop: {items: '${variables.files}', as: file, max_concurrent: 4, "
      "break_on_error: false}\n"
      "    tasks: [{id: a, type: script}]\n");
  EXPECT_EQ(Shape(*definition), "each loop\neach/a script\n");
  const Loop& loop = definition->FindStep("each")->loop;
  EXPECT_EQ(loop.mode, LoopMode::kForEach);
  EXPECT_EQ(loop.item_name, "file");
  EXPECT_EQ(loop.max_concurrent, 4u);
  EXPECT_FALSE(loop.break_on_error);
}

TEST(Processes, ALoopTaskHoldsItsTasks) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
      "    - id: again\n      type: loop\n      loop: {while: 'variables.n < 3', "
      "max_iterations: 10}\n"
      "      tasks:\n      - {id: x, type: script, outputs: {n: 'outputs.n + 1'}}\n"
      "      - {id: y, type: delay, inputs: {duration: 5s}}\n");
  EXPECT_EQ(Shape(*definition), "again loop\nagain/x script\nagain/y delay\nx -> y\n");
  EXPECT_EQ(definition->FindStep("again")->loop.condition->text(), "variables.n < 3");
  EXPECT_EQ(definition->FindStep("x")->outputs[0].value.source(), Value("{{ outputs.n + 1 }}"));
  EXPECT_EQ(definition->FindStep("y")->delay->source(), Value("5s"));
}

TEST(Processes, HandlersAreNoPartOfTheFlow) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n  - id: p\n"
      "    error_handling: {strategy: compensate, fallback_task: tell}\n    tasks:\n"
      "    - {id: pay, type: api, compensation: refund, fallback: pay_later}\n"
      "    - {id: refund, type: api}\n    - {id: pay_later, type: api}\n"
      "    - {id: ship, type: api}\n    - {id: tell, type: notification, executor: slack}\n");
  EXPECT_EQ(Shape(*definition),
            "pay http fallback=pay_later undo=refund\nrefund http handler\n"
            "pay_later http handler\nship http\ntell notification handler\npay -> ship\n");
  EXPECT_EQ(definition->bodies[0].strategy, Strategy::kCompensate);
  EXPECT_EQ(definition->bodies[0].fallback, StepIndex(4));
}

TEST(Processes, TheRetryStrategyBecomesAPolicyOfEachTask) {
  const auto definition = LoadYaml(
      OneProcess("sequential", {"a"}, "    error_handling: {strategy: retry, max_retries: 3}\n"));
  EXPECT_EQ(definition->FindStep("a")->retry.max_attempts, 4u);
  EXPECT_EQ(definition->bodies[0].strategy, Strategy::kFail);
}

TEST(Processes, ConditionsOfATaskMustAllHold) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
      "    - {id: a, type: custom:scan, when: 'input.x', conditions: ['input.y > 1', "
      "{expression: input.z}]}\n");
  EXPECT_EQ(Shape(*definition), "a scan if (input.x) and (input.y > 1) and (input.z)\n");
}

TEST(Processes, ABackEdgeMakesALoopOfTheGraph) {
  const auto definition =
      LoadYaml(OneProcess("sequential", {"a", "b", "c"},
                          "    transitions:\n    - {from: a, to: b}\n"
                          "    - {from: b, to: a, condition: failure}\n    - {from: b, to: c}\n"));
  EXPECT_EQ(Shape(*definition),
            "a script\nb script\nc script\na -> b\nb -> a failure back\nb -> c\n");
  EXPECT_EQ(Entries(*definition), "a");
  ASSERT_EQ(definition->regions.size(), 1u);
  EXPECT_EQ(definition->regions[0].header, StepIndex(0));
  EXPECT_EQ(definition->transitions[2].leaves, 0u);
  EXPECT_TRUE(definition->steps[0].incoming.empty());
}

TEST(Processes, WhatSurroundsAWorkflowIsKept) {
  const auto definition = LoadYaml(
      "project_id: shop\npermissions: []\nvariables: {region: eu}\n"
      "graph: {nodes: [], edges: []}\n"
      "triggers: [{type: git_push, enabled: true}]\n"
      "workflow:\n  id: w\n  metadata: {owner: me}\n  processes:\n"
      "  - {id: p, tasks: [{id: a, type: script}]}\n");
  EXPECT_EQ(ToJson(definition->extra),
            R"({"metadata":{"owner":"me"},"project_id":"shop","permissions":[],)"
            R"("graph":{"nodes":[],"edges":[]}})");
  EXPECT_EQ(definition->triggers.as_array().size(), 1u);
  EXPECT_EQ(definition->bodies[0].variables[0].name, "region");
}

}  // namespace
}  // namespace stele::definition::testing
