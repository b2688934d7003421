// Calls of kubectl, with a script in its place; the real one where there is one, against a server
// that answers the few requests that it makes.
#include "engine/tasks/kubernetes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "http_server.h"
#include "program_stand_in.h"

namespace stele::tasks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Kubernetes : public Programs {
 protected:
  TaskResult Start(TaskRequest request) {
    auto executor = MakeKubernetesExecutor(loop_.get(), options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  TaskResult Run(std::string_view config) { return Start(Attempt(Json(config))); }
};

TEST_F(Kubernetes, AppliesAManifestOfTheProject) {
  Install("kubectl");
  Do("apply", "echo deployment.apps/web configured");
  place_.Write("base/deployment-prod.yml", "kind: Deployment");
  TaskResult result =
      Run(R"({"executor":"kubectl","action":"apply","manifest":"deployment-prod.yml"})");
  EXPECT_EQ(At(Output(result), "stdout"), Value("deployment.apps/web configured"));
  EXPECT_EQ(At(Output(result), "exit_code"), Value(0));
  EXPECT_EQ(result.log.text, "deployment.apps/web configured\n");
  EXPECT_THAT(Arguments("apply"), ElementsAre("apply", "--filename=" + options_.base_directory +
                                                           "/deployment-prod.yml"));
  EXPECT_EQ(Noted("apply", "input"), "");
}

TEST_F(Kubernetes, HandsAManifestOverAsInput) {
  Install("kubectl");
  TaskRequest request =
      Attempt(Json(R"({"action":"apply","manifest":"kind: Secret\nv: hunter2!"})"));
  request.secrets = {"hunter2!"};
  Do("apply", "cat \"$notes/apply.input\"");
  EXPECT_EQ(At(Output(Start(std::move(request))), "stdout"), Value("kind: Secret\nv: ***"));
  EXPECT_EQ(Noted("apply", "input"), "kind: Secret\nv: hunter2!");
  EXPECT_THAT(Arguments("apply"), ElementsAre("apply", "--filename=-"));
}

TEST_F(Kubernetes, ParsesWhatItGets) {
  Install("kubectl");
  Do("get", R"(echo '{"kind":"Pod","status":{"phase":"Running"}}')");
  Value output = Output(Run(R"({"action":"get","resource":"pod","name":"web"})"));
  EXPECT_EQ(At(At(At(output, "resource"), "status"), "phase"), Value("Running"));
  EXPECT_EQ(output.Find("stdout"), nullptr);
  Do("get", "");
  EXPECT_TRUE(
      At(Output(Run(R"({"action":"get","resource":"a/b","ignore_not_found":true})")), "resource")
          .is_null());
  Do("get", "echo no json");
  TaskFailure failure = Failure(Run(R"({"action":"get","resource":"pod","name":"web"})"));
  EXPECT_EQ(failure.kind, "outputs");
  EXPECT_THAT(failure.message, HasSubstr("Expected JSON from kubectl"));
}

TEST_F(Kubernetes, FailsWhenALongAnswerWouldBeCut) {
  Install("kubectl");
  options_.max_stream_bytes = 1000;
  Do("get", R"(printf '{"a":"%02000d"}' 0)");
  EXPECT_EQ(Failure(Run(R"({"action":"get","resource":"pods"})")).kind, "output_limit");
}

TEST_F(Kubernetes, FailsWithTheExitCodeOfKubectl) {
  Install("kubectl");
  Do("delete", "echo 'Error from server (NotFound): jobs \"old\" not found' >&2; exit 1");
  TaskFailure failure = Failure(Run(R"({"action":"delete","resource":"job","name":"old"})"));
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("but found 1: Error from server (NotFound)"));
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(1));
}

TEST_F(Kubernetes, CountsAWaitInVainAsATimeout) {
  Install("kubectl");
  Do("wait", "echo 'error: timed out waiting for the condition on jobs/a' >&2; exit 1");
  TaskFailure failure =
      Failure(Run(R"({"action":"wait","resource":"job","name":"a","for":"condition=complete"})"));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_THAT(failure.message, HasSubstr("on jobs/a"));
}

TEST_F(Kubernetes, IsEndedByItsTimeout) {
  Install("kubectl");
  Do("logs", "exec sleep 1000");
  TaskFailure failure = Failure(Run(R"({"action":"logs","name":"web","timeout":"20ms"})"));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_THAT(failure.message, HasSubstr("kubectl to end within 0.02 s"));
  EXPECT_TRUE(IsGone("logs"));
}

TEST_F(Kubernetes, IsEndedWhenItIsCancelled) {
  Install("kubectl");
  Do("rollout", "exec sleep 1000");
  auto executor = MakeKubernetesExecutor(loop_.get(), options_);
  CancelWhenCalled(*executor,
                   Attempt(Json(R"({"action":"rollout_status","resource":"deployment/web"})")),
                   "rollout");
}

TEST_F(Kubernetes, IsUnavailableWithoutKubectl) {
  TaskFailure failure = Failure(Run(R"({"action":"get","resource":"pods"})"));
  EXPECT_EQ(failure.kind, "unavailable");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(failure.message, "Expected kubectl on PATH but found no such program");
}

TEST_F(Kubernetes, NeedsNobodyToReadItsInput) {
  Install("kubectl");
  BeDeaf();
  std::string manifest(2u << 20, 'a');
  Value config = Object{{"action", "apply"}, {"manifest", "kind: Job\n" + manifest}};
  EXPECT_EQ(At(Output(Start(Attempt(config))), "exit_code"), Value(0));
}

TEST_F(Kubernetes, RefusesASecretOnTheCommandLine) {
  Install("kubectl");
  TaskRequest request =
      Attempt(Json(R"({"action":"get","resource":"pods","selector":"key=hunter2!"})"));
  request.secrets = {"hunter2!"};
  TaskFailure failure = Failure(Start(std::move(request)));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_THAT(failure.message, Not(HasSubstr("hunter2!")));
  EXPECT_FALSE(WasCalled("get"));
}

TEST_F(Kubernetes, SeesOnlyWhatItIsGivenOfTheEnvironment) {
  Install("kubectl");
  options_.environment.emplace_back("KUBECONFIG", "/a/config");
  Output(Run(R"({"action":"get","resource":"pods","ignore_not_found":true})"));
  EXPECT_THAT(Environment("get"), Contains("KUBECONFIG=/a/config"));
  EXPECT_THAT(Environment("get"), Not(Contains(testing::StartsWith("STELE_"))));
}

// What kubectl asks before it knows that a ConfigMap is, and one of them.
HttpServer::Response ApiServer(const HttpServer::Request& request) {
  std::string path = request.target.substr(0, request.target.find('?'));
  HttpServer::Response response;
  response.headers = {{"Content-Type", "application/json"}};
  if (path == "/api") {
    response.body = R"({"kind":"APIVersions","versions":["v1"]})";
  } else if (path == "/apis") {
    response.body = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[]})";
  } else if (path == "/api/v1") {
    response.body = R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
        {"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap",
         "verbs":["get","patch"]}]})";
  } else if (path == "/api/v1/namespaces/prod/configmaps/settings") {
    response.body = R"({"kind":"ConfigMap","apiVersion":"v1","data":{"color":"blue"},
        "metadata":{"name":"settings","namespace":"prod"}})";
  } else {
    response.status = 404;
    response.body = R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":404,
        "reason":"NotFound","message":"nothing is here"})";
  }
  return response;
}

class RealKubectl : public Kubernetes {
 protected:
  void SetUp() override {
    if (std::system("timeout 10 kubectl version --client >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "`kubectl version --client` fails: there is no kubectl";
    }
    options_.environment = {{"PATH", RealPath()}, {"HOME", place_.path()}};
    place_.Write("base/config", R"({"apiVersion":"v1","kind":"Config","current-context":"c",
        "clusters":[{"name":"c","cluster":{"server":")" +
                                    server_.Url("") + R"("}}],
        "contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
        "users":[{"name":"u","user":{}}]})");
  }
  HttpServer server_{ApiServer};
};

TEST_F(RealKubectl, GetsAResource) {
  Value output = Output(Run(R"({"action":"get","resource":"configmap","name":"settings",
                                "namespace":"prod","kubeconfig":"config"})"));
  EXPECT_EQ(At(At(At(output, "resource"), "data"), "color"), Value("blue"));
}

TEST_F(RealKubectl, PatchesAResourceFromItsInput) {
  Value output = Output(Run(R"({"action":"patch","resource":"configmap","name":"settings",
      "namespace":"prod","kubeconfig":"config","patch_type":"merge","output":"json",
      "patch":{"data":{"color":"red"}}})"));
  EXPECT_EQ(At(At(output, "resource"), "kind"), Value("ConfigMap"));
  std::vector<HttpServer::Request> requests = server_.requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_EQ(requests.back().method, "PATCH");
  EXPECT_EQ(Json(requests.back().body), Json(R"({"data":{"color":"red"}})"));
}

TEST_F(RealKubectl, SaysWhatTheServerDidNotFind) {
  TaskFailure failure = Failure(Run(R"({"action":"get","resource":"configmap","name":"other",
                                        "namespace":"prod","kubeconfig":"config"})"));
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_THAT(failure.message, HasSubstr("NotFound"));
}

}  // namespace
}  // namespace stele::tasks
