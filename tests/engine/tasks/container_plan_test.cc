// What becomes of a container step's configuration before anything runs.
#include "engine/tasks/container_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> Faults(std::string_view config,
                                ConfigReader::Mode mode = ConfigReader::Mode::kRendered) {
  auto read = ReadContainerConfig(Json(config), mode);
  return read ? std::vector<std::string>() : read.error();
}

ContainerConfig Read(std::string_view config) {
  auto read = ReadContainerConfig(Json(config), ConfigReader::Mode::kRendered);
  EXPECT_TRUE(read.has_value());
  return read.value_or(ContainerConfig());
}

std::vector<std::string> ArgumentsOf(std::string_view config,
                                     const std::vector<std::string>& secrets = {}) {
  ProgramOptions options;
  options.base_directory = "/base";
  auto arguments = ContainerArguments(Read(config), AttemptKey{InstanceId(42), RunId(7), 1},
                                      {"a-name", "/scratch/work", "/scratch/variables"}, {"COLOR"},
                                      options, Redactor(secrets));
  if (!arguments) return {arguments.error().kind, arguments.error().message};
  return *arguments;
}

TEST(ContainerPlan, PutsOptionsBeforeTheImageAndTheCommandBehindIt) {
  EXPECT_THAT(
      ArgumentsOf(R"({"image":"alpine:3","command":["echo","-n"],"args":["hi"],"pull":"never",
                      "workdir":"/src","network":"none","user":"1000:1000","memory":"512m","cpus":1.5,
                      "volumes":["/data:/data:ro","./src:/src","cache:/cache"]})"),
      ElementsAre(
          "run", "--rm", "--name=a-name", "--label=stele.instance=42", "--label=stele.run=7",
          "--label=stele.attempt=1", "--volume=/scratch/work:/stele:z", "--env=COLOR",
          "--env-file=/scratch/variables", "--pull=never", "--workdir=/src", "--network=none",
          "--user=1000:1000", "--memory=512m", "--cpus=1.5", "--volume=/data:/data:ro",
          "--volume=/base/src:/src", "--volume=cache:/cache", "alpine:3", "echo", "-n", "hi"));
}

TEST(ContainerPlan, GivesALineToTheShellWithItsArguments) {
  std::vector<std::string> arguments =
      ArgumentsOf(R"({"image":"alpine","command":"echo $1","args":["hi"]})");
  arguments.erase(arguments.begin(), arguments.begin() + 9);
  EXPECT_THAT(arguments, ElementsAre("--entrypoint=sh", "alpine", "-c", "echo $1", "sh", "hi"));
}

TEST(ContainerPlan, RefusesWhatCouldBeReadAsAnOption) {
  EXPECT_THAT(Faults(R"({"image":"--privileged"})"),
              ElementsAre(HasSubstr("Expected `image` to be a value that is no option but found "
                                    "\"--privileged\"")));
  for (const char* key : {"workdir", "network", "user", "memory", "cpus", "entrypoint"}) {
    std::string config = std::string(R"({"image":"a",")") + key + R"(":"-v=/:/host"})";
    EXPECT_THAT(Faults(config), Contains(HasSubstr("no option"))) << key;
  }
  EXPECT_THAT(Faults(R"({"image":"a","volumes":["-v/:/host"]})"),
              ElementsAre(HasSubstr("`volumes[0]` to be a value that is no option")));
  EXPECT_THAT(Faults(R"({"image":"a\n--privileged"})"), ElementsAre(HasSubstr("a single line")));
}

TEST(ContainerPlan, NamesWhatIsWrongWithAVolume) {
  auto fault = [](std::string_view volume) {
    std::string config = R"({"image":"a","volumes":[")" + std::string(volume) + R"("]})";
    std::vector<std::string> faults = Faults(config);
    return faults.empty() ? std::string() : faults[0];
  };
  EXPECT_EQ(fault("/a:/b"), "");
  EXPECT_EQ(fault("/b"), "");
  EXPECT_EQ(fault("../a:/b:ro,z"), "");
  EXPECT_THAT(fault("/a:b"), HasSubstr("absolute target"));
  EXPECT_THAT(fault("/a:/stele"), HasSubstr("outside of /stele"));
  EXPECT_THAT(fault("/a:/stele/outputs"), HasSubstr("outside of /stele"));
  EXPECT_THAT(fault("a/b:/c"), HasSubstr("the name of a volume"));
  EXPECT_THAT(fault("/a:/b:ro:x"), HasSubstr("source:target:options"));
}

TEST(ContainerPlan, NamesEveryFaultAtOnce) {
  EXPECT_THAT(Faults(R"({"memory":"much","cpus":"two","pull":"sometimes","workdir":"src",
                         "runtime":"lxc","enviroment":{},"environment":{"A B":"1"}})"),
              testing::UnorderedElementsAre(
                  HasSubstr("Expected `image` but found none"), HasSubstr("`memory`"),
                  HasSubstr("`cpus`"), HasSubstr("`pull` to be one of always, missing, never"),
                  HasSubstr("`workdir` to be an absolute path"),
                  HasSubstr("`runtime` to be one of docker, podman"), HasSubstr("`enviroment`"),
                  HasSubstr("the name of a variable in `environment` but found \"A B\"")));
  EXPECT_THAT(Faults(R"({"image":"a","entrypoint":"git","command":"status"})"),
              ElementsAre(HasSubstr("`command` to be a list beside `entrypoint`")));
}

TEST(ContainerPlan, LeavesTemplatesAlone) {
  EXPECT_THAT(Faults(R"({"image":"{{input.image}}","memory":"${m}","volumes":["{{a}}:{{b}}"],
                         "runtime":"{{r}}","pull":"{{p}}","command":"{{c}}"})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
}

TEST(ContainerPlan, RefusesASecretOnTheCommandLine) {
  std::vector<std::string> refused =
      ArgumentsOf(R"({"image":"a","command":"login hunter2!"})", {"hunter2!"});
  EXPECT_THAT(refused, ElementsAre("config", HasSubstr("Expected no secret on a command line")));
  EXPECT_THAT(refused[1], Not(HasSubstr("hunter2!")));
}

TEST(ContainerVariables, GoByTheEnvironmentUnlessTheClientListensToTheName) {
  TaskRequest request = Attempt(Value(), Object{{"order-id", 7}});
  ContainerConfig config =
      Read(R"({"image":"a","environment":{"COLOR":"a\nb","PATH":"/app","DOCKER_HOST":"x"}})");
  auto variables = PlanVariables(config, request, ProgramOptions());
  ASSERT_TRUE(variables.has_value());
  EXPECT_THAT(variables->names,
              testing::IsSupersetOf({"COLOR", "INPUT_ORDER_ID", "STELE_INPUT", "STELE_OUTPUTS"}));
  EXPECT_THAT(variables->names, Not(Contains("PATH")));
  EXPECT_THAT(
      variables->process,
      testing::IsSupersetOf({"COLOR=a\nb", "INPUT_ORDER_ID=7", "STELE_OUTPUTS=/stele/outputs",
                             "STELE_INPUT_FILE=/stele/input.json", "STELE_INSTANCE=42"}));
  EXPECT_EQ(variables->file, "PATH=/app\nDOCKER_HOST=x\n");
  EXPECT_THAT(variables->names, Not(Contains("STELE_WORKSPACE")));
}

TEST(ContainerVariables, CannotHoldSeveralLinesWhereTheClientListens) {
  ContainerConfig config = Read(R"({"image":"a","environment":{"PATH":"a\nDOCKER_HOST=b"}})");
  auto variables = PlanVariables(config, Attempt(Value()), ProgramOptions());
  ASSERT_FALSE(variables.has_value());
  EXPECT_EQ(variables.error().kind, "config");
  EXPECT_THAT(variables.error().message, HasSubstr("`environment.PATH` to be a single line"));
}

}  // namespace
}  // namespace stele::tasks
