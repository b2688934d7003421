// The definitions that the functional specification prints, literally, and what they must become.

#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

std::shared_ptr<const Definition> LoadPrinted(const std::string& name) {
  return name.ends_with(".json") ? LoadJson(ReadPrinted(name)) : LoadYaml(ReadPrinted(name));
}

std::string Config(const Definition& definition, std::string_view step) {
  const Step* found = definition.FindStep(step);
  return found == nullptr ? "no such step" : ToJson(found->config.source());
}

TEST(Printed, SimpleSequence) {
  const auto definition = LoadPrinted("simple-sequence.yml");
  EXPECT_EQ(definition->name, "simple-sequence");
  EXPECT_EQ(definition->title, "Simple Sequence Workflow");
  EXPECT_EQ(definition->version, "1.0.0");
  EXPECT_EQ(definition->dialect, "processes");
  EXPECT_EQ(Shape(*definition),
            "task1 script\n"
            "task2 http\n"
            "task3 email\n"
            "task1 -> task2\n"
            "task2 -> task3\n");
  EXPECT_EQ(Entries(*definition), "task1");
  EXPECT_EQ(Config(*definition, "task1"),
            R"({"script":"echo 'Starting workflow'","runtime":"bash"})");
  EXPECT_EQ(Config(*definition, "task2"),
            R"({"url":"https://api.example.com/data","method":"GET"})");
  EXPECT_EQ(definition->FindStep("task3")->name, "Task 3");
  EXPECT_EQ(definition->FindStep("task2")->place.line, 20u);
}

TEST(Printed, ParallelWorkflow) {
  const auto definition = LoadPrinted("parallel-workflow.yml");
  EXPECT_EQ(Shape(*definition),
            "task1 script\n"
            "task2 script\n"
            "task3 script\n"
            "join script\n"
            "task1 -> join\n"
            "task2 -> join\n"
            "task3 -> join\n");
  EXPECT_EQ(Entries(*definition), "task1 task2 task3");
  EXPECT_EQ(definition->FindStep("join")->incoming.size(), 3u);
}

TEST(Printed, ConditionalWorkflow) {
  const auto definition = LoadPrinted("conditional-workflow.yml");
  EXPECT_EQ(Shape(*definition),
            "check_env script\n"
            "deploy_prod kubernetes\n"
            "deploy_dev kubernetes\n"
            "notify notification\n"
            "check_env -> deploy_prod if outputs.production == 'true'\n"
            "check_env -> deploy_dev if outputs.production == 'false'\n"
            "deploy_prod -> notify\n"
            "deploy_dev -> notify\n");
  EXPECT_EQ(Entries(*definition), "check_env");
  const auto& variables = definition->bodies[0].variables;
  ASSERT_EQ(variables.size(), 2u);
  EXPECT_EQ(variables[0].name, "environment");
  EXPECT_EQ(variables[0].type, "string");
  EXPECT_EQ(variables[0].initial, Value("development"));
  EXPECT_EQ(variables[1].type, "boolean");
  EXPECT_EQ(variables[1].initial, Value(false));
  EXPECT_EQ(Config(*definition, "notify"),
            R"({"channel":"#deployments","message":"Deployment completed for ${environment}",)"
            R"("executor":"slack"})");
  EXPECT_TRUE(definition->FindStep("check_env")->config.is_dynamic());
}

TEST(Printed, RetryPolicy) {
  std::string policy = "        ";
  for (const char c : ReadPrinted("retry-policy.yml")) {
    policy += c;
    if (c == '\n') policy += "        ";
  }
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n    - id: p\n      tasks:\n      - id: a\n"
      "        type: script\n" +
      policy + "\n");
  ASSERT_NE(definition->FindStep("a"), nullptr);
  const RetryPolicy& retry = definition->FindStep("a")->retry;
  EXPECT_EQ(retry, (RetryPolicy{.max_attempts = 3,
                                .backoff = Backoff::kExponential,
                                .initial_delay_us = 1'000'000,
                                .multiplier = 2.0,
                                .max_delay_us = 30'000'000,
                                .jitter = 0.5}));
}

TEST(Printed, IntegrationTest) {
  const auto definition = LoadPrinted("integration-test.yml");
  EXPECT_EQ(definition->name, "integration-test");
  EXPECT_EQ(Shape(*definition), "task1 script\n");
}

TEST(Printed, DeployApp) {
  const auto definition = LoadPrinted("deploy-app.yml");
  EXPECT_EQ(Shape(*definition),
            "build script\n"
            "test script\n"
            "deploy kubernetes\n"
            "build -> test\n"
            "test -> deploy\n");
  EXPECT_EQ(Config(*definition, "deploy"),
            R"({"action":"apply","manifest":"deployment.yml","executor":"kubectl"})");
}

TEST(Printed, RequestThatCreatesAWorkflow) {
  const auto definition = LoadPrinted("create-workflow.json");
  EXPECT_EQ(definition->name, "数据处理工作流");
  EXPECT_EQ(definition->description, "自动化数据处理和分析流程");
  EXPECT_EQ(definition->version, "1.0");
  EXPECT_EQ(definition->tags, (std::vector<std::string>{"数据处理", "自动化"}));
  EXPECT_EQ(ToJson(definition->extra), R"({"owner_id":"user-uuid"})");
  EXPECT_EQ(Shape(*definition), "step1 script\n");
  EXPECT_EQ(Config(*definition, "step1"), R"({"script":"validate_data.py"})");
  EXPECT_EQ(definition->FindStep("step1")->timeout_us, 300'000'000);
  ASSERT_EQ(definition->bodies[0].variables.size(), 2u);
  EXPECT_EQ(definition->bodies[0].variables[1].initial, Value("/tmp/output"));
}

TEST(Printed, DataProcessing) {
  const auto definition = LoadPrinted("data-processing.yml");
  EXPECT_EQ(definition->dialect, "steps");
  EXPECT_EQ(Shape(*definition),
            "validate script\n"
            "process agent\n"
            "notify email\n"
            "validate -> process\n"
            "process -> notify\n");
  const Step& process = *definition->FindStep("process");
  EXPECT_EQ(process.name, "数据处理");
  ASSERT_EQ(process.inputs.size(), 2u);
  EXPECT_EQ(process.inputs[0].name, "file");
  EXPECT_EQ(process.inputs[0].value.source(), Value("{{variables.input_file}}"));
  ASSERT_TRUE(definition->triggers.is_array());
  EXPECT_EQ(definition->triggers.as_array().size(), 2u);
  EXPECT_EQ(definition->bodies[0].variables[2].type, "integer");
}

TEST(Printed, ApiSync) {
  const auto definition = LoadPrinted("api-sync.json");
  EXPECT_EQ(definition->name, "API数据同步");
  EXPECT_EQ(Shape(*definition),
            "fetch_data http\n"
            "transform_data script\n"
            "save_data sql\n"
            "fetch_data -> transform_data\n"
            "transform_data -> save_data\n");
  EXPECT_EQ(definition->FindStep("fetch_data")->timeout_us, 30'000'000);
  EXPECT_EQ(Config(*definition, "transform_data"), R"({"script":"transform.js","runtime":"node"})");
}

TEST(Printed, FragmentsMayNameStepsOfTheirSurroundings) {
  EXPECT_EQ(Shape(*LoadPrinted("agent-step.yml")), "analysis agent\n");
  EXPECT_EQ(LoadPrinted("agent-step.yml")->FindStep("analysis")->timeout_us, 600'000'000);
  EXPECT_EQ(Shape(*LoadPrinted("llm-step.yml")), "generate_summary llm\n");
  EXPECT_EQ(Shape(*LoadPrinted("mcp-step.yml")), "create_session mcp\n");
  EXPECT_EQ(LoadPrinted("mcp-step.yml")->name, "unnamed");
}

TEST(Printed, NoneIsLeftUntested) {
  EXPECT_EQ(PrintedNames().size(), 12u);
}

}  // namespace
}  // namespace stele::definition::testing
