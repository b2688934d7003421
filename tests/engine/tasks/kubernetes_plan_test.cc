// What becomes of a kubernetes step's configuration before anything runs.
#include "engine/tasks/kubernetes_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Faults(std::string_view config,
                                ConfigReader::Mode mode = ConfigReader::Mode::kRendered) {
  auto read = ReadKubernetesConfig(Json(config), mode);
  return read ? std::vector<std::string>() : read.error();
}

KubernetesPlan PlanOf(std::string_view config, const ProgramOptions& options = {}) {
  auto read = ReadKubernetesConfig(Json(config), ConfigReader::Mode::kRendered);
  if (!read) {
    ADD_FAILURE() << JoinFaults(read.error());
    return {};
  }
  auto plan = PlanKubernetes(*read, options);
  EXPECT_TRUE(plan.has_value());
  return plan.value_or(KubernetesPlan());
}

std::string Line(std::string_view config) {
  std::string line;
  for (const std::string& argument : PlanOf(config).arguments) {
    line += (line.empty() ? "" : " ") + argument;
  }
  return line;
}

TEST(KubernetesPlan, HasTheWordsOfEachAction) {
  EXPECT_EQ(Line(R"({"action":"get","resource":"pods","selector":"app=web","namespace":"prod"})"),
            "get --namespace=prod --selector=app=web --output=json pods");
  EXPECT_EQ(Line(R"({"action":"get","resource":"pods","output":"text","context":"c"})"),
            "get --context=c pods");
  EXPECT_EQ(Line(R"({"action":"delete","resource":"job","name":"old","ignore_not_found":true})"),
            "delete --ignore-not-found job/old");
  EXPECT_EQ(Line(R"({"action":"rollout_status","resource":"deployment/web","timeout":"90s"})"),
            "rollout status --timeout=90000ms deployment/web");
  EXPECT_EQ(Line(R"({"action":"rollout-status","resource":"deployment","name":"web"})"),
            "rollout status deployment/web");
  EXPECT_EQ(Line(R"({"action":"wait","resource":"job","name":"a","for":"condition=complete"})"),
            "wait --for=condition=complete job/a");
  EXPECT_EQ(Line(R"({"action":"scale","resource":"deployment","name":"web","replicas":0})"),
            "scale --replicas=0 deployment/web");
  EXPECT_EQ(Line(R"({"action":"logs","name":"web-1","container":"app","tail":10,"since":"1m"})"),
            "logs --container=app --tail=10 --since=60s pod/web-1");
  EXPECT_EQ(Line(R"({"action":"create","manifest":{"kind":"Job"},"dry_run":true,"output":"name"})"),
            "create --dry-run=client --output=name --filename=-");
  EXPECT_EQ(Line(R"({"action":"apply","manifest":"kind: Job\n","server_side":true,
                     "dry_run":"server","output":"json"})"),
            "apply --dry-run=server --server-side --output=json --filename=-");
  EXPECT_EQ(Line(R"({"action":"apply","manifest":"https://example.com/a.yml"})"),
            "apply --filename=https://example.com/a.yml");
}

TEST(KubernetesPlan, GivesManifestsAsInput) {
  EXPECT_EQ(PlanOf(R"({"action":"apply","manifest":"---\nkind: Job\n"})").input,
            "---\nkind: Job\n");
  EXPECT_EQ(PlanOf(R"({"action":"apply","manifest":"kind: Job"})").input, "kind: Job");
  EXPECT_EQ(PlanOf(R"({"action":"apply","manifest":{"kind":"Job"}})").input, R"({"kind":"Job"})");
  EXPECT_EQ(PlanOf(R"({"action":"apply","manifest":[{"kind":"Job"}]})").input,
            R"({"apiVersion":"v1","kind":"List","items":[{"kind":"Job"}]})");
}

TEST(KubernetesPlan, GivesAPatchAsInput) {
  KubernetesPlan plan = PlanOf(
      R"({"action":"patch","resource":"deployment","name":"web","patch":{"spec":{"replicas":2}}})");
  EXPECT_THAT(plan.arguments, ElementsAre("patch", "--type=strategic", "--patch-file=/dev/stdin",
                                          "deployment/web"));
  EXPECT_EQ(plan.input, R"({"spec":{"replicas":2}})");
  plan = PlanOf(
      R"({"action":"patch","resource":"deployment","name":"web","patch":[{"op":"remove"}]})");
  EXPECT_EQ(plan.arguments[1], "--type=json");
}

TEST(KubernetesPlan, FindsAManifestBesideTheDefinition) {
  TemporaryDirectory base;
  TemporaryDirectory definition;
  definition.Write("web.yml", "kind: Job");
  ProgramOptions options;
  options.base_directory = base.path();
  options.search_directories = {definition.path()};
  constexpr std::string_view kConfig = R"({"action":"apply","manifest":"web.yml"})";
  EXPECT_THAT(PlanOf(kConfig, options).arguments,
              ElementsAre("apply", "--filename=" + definition.path() + "/web.yml"));
  base.Write("web.yml", "kind: Job");
  EXPECT_THAT(PlanOf(kConfig, options).arguments,
              ElementsAre("apply", "--filename=" + base.path() + "/web.yml"));
}

TEST(KubernetesPlan, SaysWhereAManifestIsMissing) {
  ProgramOptions options;
  options.base_directory = "/nowhere";
  auto read = ReadKubernetesConfig(Json(R"({"action":"apply","manifest":"web.yml"})"),
                                   ConfigReader::Mode::kRendered);
  ASSERT_TRUE(read.has_value());
  auto plan = PlanKubernetes(*read, options);
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, "config");
  EXPECT_EQ(plan.error().message,
            "Expected the manifest web.yml in /nowhere but found no such file");
}

TEST(KubernetesPlan, LeavesKubectlTimeToSayWhatItWaitedFor) {
  EXPECT_EQ(
      PlanOf(R"({"action":"wait","resource":"a/b","for":"delete","timeout":"10s"})").timeout_us,
      15'000'000);
  EXPECT_EQ(PlanOf(R"({"action":"get","resource":"pods","timeout":"10s"})").timeout_us, 10'000'000);
}

TEST(KubernetesPlan, RefusesWhatCouldBeReadAsAnOption) {
  for (const char* key : {"namespace", "context", "kubeconfig", "resource", "name", "selector"}) {
    std::string config =
        std::string(R"({"action":"get","resource":"pods",")") + key + R"(":"--raw=/"})";
    EXPECT_THAT(Faults(config), testing::Contains(HasSubstr("no option"))) << key;
  }
  EXPECT_THAT(Faults(R"({"action":"wait","resource":"a/b","for":"--all"})"),
              ElementsAre(HasSubstr("`for` to be a value that is no option")));
  EXPECT_THAT(Faults(R"({"action":"apply","manifest":"--prune"})"),
              ElementsAre(HasSubstr("`manifest` to be a value that is no option")));
  EXPECT_THAT(Faults(R"({"action":"apply","manifest":"-"})"),
              ElementsAre(HasSubstr("`manifest` to be a value that is no option")));
}

TEST(KubernetesPlan, NamesWhatAnActionLacksOrDoesNotTake) {
  EXPECT_THAT(Faults(R"({})"), testing::Contains(HasSubstr("Expected `action`, one of apply")));
  EXPECT_THAT(
      Faults(R"({"action":"explode"})"),
      ElementsAre(HasSubstr("to be one of apply, create, delete, get, rollout_status, wait, "
                            "scale, patch, logs but found \"explode\"")));
  EXPECT_THAT(Faults(R"({"action":"apply"})"),
              ElementsAre("Expected `manifest` with the action apply but found none"));
  EXPECT_THAT(Faults(R"({"action":"delete","resource":"pods"})"),
              ElementsAre("Expected `name` with the action delete but found none"));
  EXPECT_THAT(Faults(R"({"action":"scale","resource":"a/b"})"),
              ElementsAre("Expected `replicas` with the action scale but found none"));
  EXPECT_THAT(Faults(R"({"action":"get","resource":"a/b","name":"c"})"),
              ElementsAre(HasSubstr("but found both")));
  EXPECT_THAT(Faults(R"({"action":"get","resource":"pods","replicas":1,"dry_run":true})"),
              ElementsAre("Expected `replicas` with the action scale alone but found it with get",
                          "Expected no `dry_run` with the action get but found it"));
  EXPECT_THAT(Faults(R"({"action":"apply","manifest":"a.yml","prune":true})"),
              ElementsAre(HasSubstr("`prune`")));
  EXPECT_THAT(Faults(R"({"action":"apply","manifest":7})"), ElementsAre(HasSubstr("`manifest`")));
  EXPECT_THAT(Faults(R"({"action":"scale","resource":"a/b","replicas":-1})"),
              ElementsAre(HasSubstr("a whole number from 0 on but found -1")));
}

TEST(KubernetesPlan, LeavesTemplatesAlone) {
  EXPECT_THAT(Faults(R"({"action":"{{a}}","manifest":"{{m}}","replicas":"{{n}}"})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
  EXPECT_THAT(Faults(R"({"action":"scale","resource":"{{r}}","name":"{{n}}","replicas":"{{c}}",
                         "dry_run":"{{d}}","output":"{{o}}"})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
}

}  // namespace
}  // namespace stele::tasks
