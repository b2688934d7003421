// What scripts may not use and not see: limits, inherited files and variables, users, namespaces,
// and that they do not outlive the engine.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine/tasks/script_confinement.h"
#include "script_fixture.h"

namespace stele::tasks {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Isolation : public Script {
 protected:
  // A user that nothing else on the machine runs as.
  static std::string Stranger() { return std::to_string(70'000 + getpid() % 10'000); }
  // Others may enter the directories of the test.
  void OpenToOthers() {
    for (const std::string& path : {scratch_.path(), workspace_.path()})
      ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  }
  std::string Printed(std::string_view config) {
    return At(Output(Run(config)), "stdout").as_string();
  }
  // Kernels and containers may forbid them.
  bool HasNamespaces() {
    const TaskResult result = Run(R"({"script":"true","isolation":"namespaces"})");
    if (result.outcome) return true;
    EXPECT_EQ(result.outcome.error().kind, "isolation") << result.outcome.error().message;
    return false;
  }
};

bool IsGone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat(std::istreambuf_iterator<char>(file), {});
  return stat.empty() || stat.substr(stat.rfind(')') + 2, 1) == "Z";
}

TEST_F(Isolation, EndsAScriptThatNeedsMoreProcessorTime) {
  for (const char* script : {"while :; do :; done", "sh -c 'while :; do :; done'",
                             "trap '' XCPU; while :; do :; done"}) {
    const TaskFailure failure =
        Failure(Run(fmt::format(R"({{"script":"{}","limits":{{"cpu":"1s"}}}})", script)));
    EXPECT_EQ(failure.kind, "limit") << script << failure.message;
    EXPECT_EQ(At(failure.details.value(), "limit"), Value("cpu")) << script;
    EXPECT_THAT(failure.message, HasSubstr("1 s of processor time (limits.cpu)"));
  }
}

TEST_F(Isolation, EndsAScriptThatWritesTooLargeAFile) {
  const TaskFailure failure =
      Failure(Run(R"({"script":"head -c 20000 /dev/zero > large","limits":{"file_size":"10KB"}})"));
  EXPECT_EQ(failure.kind, "limit");
  EXPECT_EQ(At(failure.details.value(), "limit"), Value("file_size"));
  Output(Run(R"({"script":"head -c 10240 /dev/zero > large","limits":{"file_size":"10KB"}})"));
}

TEST_F(Isolation, RefusesMoreMemory) {
  // tail keeps in memory what it may have to print.
  const std::string script = "head -c 200000000 /dev/zero | tail -c 200000000 > /dev/null";
  Output(Run(fmt::format(R"({{"script":"{}","limits":{{"memory":"1GB"}}}})", script)));
  EXPECT_EQ(
      Failure(Run(fmt::format(R"({{"script":"{}","limits":{{"memory":"64MB"}}}})", script))).kind,
      "exit");
}

TEST_F(Isolation, RefusesMoreOpenFiles) {
  const std::string script = "for i in 20 30 40; do eval \\\"exec $i</dev/null\\\" || exit 9; done";
  Output(Run(fmt::format(R"({{"script":"{}","limits":{{"files":64}}}})", script)));
  const TaskFailure failure =
      Failure(Run(fmt::format(R"({{"script":"{}","limits":{{"files":24}}}})", script)));
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(9));
}

TEST_F(Isolation, RefusesMoreProcesses) {
  // The kernel exempts root.
  OpenToOthers();
  const std::string user =
      geteuid() == 0 ? fmt::format(R"(,"user":"{}")", Stranger()) : std::string();
  const TaskFailure failure = Failure(Run(fmt::format(
      R"({{"script":"sleep 600 & echo started","runtime":"sh","limits":{{"processes":1}}{}}})",
      user)));
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_THAT(failure.message, HasSubstr("fork"));
}

TEST_F(Isolation, DumpsNoMemoryUnlessItMay) {
  EXPECT_EQ(Printed(R"({"script":"ulimit -c"})"), "0");
}

TEST_F(Isolation, NeverRaisesAHardLimit) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(Printed(R"({"script":"ulimit -Hn","limits":{"files":100000000000}})"),
            before.rlim_max == RLIM_INFINITY ? "unlimited" : std::to_string(before.rlim_max));
}

TEST_F(Isolation, HandsOnNoOpenFile) {
  workspace_.Write("private-file", "x");
  const int file = open((workspace_.path() + "/private-file").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  const int high = dup2(file, 200);
  ASSERT_EQ(fcntl(high, F_GETFD), 0) << "it would be inherited";
  const std::string open_files = Printed(R"({"script":"ls -l /proc/$$/fd","runtime":"sh"})");
  close(file);
  close(high);
  EXPECT_THAT(open_files, HasSubstr("1 -> pipe:"));
  EXPECT_THAT(open_files, Not(HasSubstr("private-file")));
  EXPECT_THAT(open_files, Not(HasSubstr(" 3 -> ")));
}

TEST_F(Isolation, StartsWithEverySignalAsUsual) {
  void (*before)(int) = signal(SIGPIPE, SIG_IGN);
  const std::string status = Printed(R"({"script":"cat /proc/self/status","runtime":"sh"})");
  signal(SIGPIPE, before);
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
}

TEST_F(Isolation, InheritsThePlaceAndTheLanguageAndWhatItNames) {
  for (const char* name : {"LC_TEST_STELE", "STELE_TEST_NAMED", "STELE_TEST_OTHER", "TZ"})
    ASSERT_EQ(setenv(name, "Etc/GMT+7", 1), 0);
  const std::string scratch = options_.scratch_root;
  options_ = ScriptOptions::FromProcess(workspace_.path());
  options_.scratch_root = scratch;
  for (const char* name : {"LC_TEST_STELE", "STELE_TEST_NAMED", "STELE_TEST_OTHER", "TZ"})
    unsetenv(name);
  const std::string text = Printed(
      R"({"script":"env","inherit_environment":["STELE_TEST_NAMED","STELE_TEST_UNSET"],"environment":{"MORE":"1"}})");
  EXPECT_THAT(text, AllOf(HasSubstr("LC_TEST_STELE="), HasSubstr("TZ=Etc/GMT+7"),
                          HasSubstr("STELE_TEST_NAMED="), HasSubstr("MORE=1")));
  EXPECT_THAT(text, Not(HasSubstr("STELE_TEST_OTHER")));
  EXPECT_THAT(text, Not(HasSubstr("STELE_TEST_UNSET")));
}

TEST_F(Isolation, NeverInheritsASecretOrTheKey) {
  for (const char* name : {"STELE_SECRETS_KEY", "STELE_SECRET_TOKEN"}) {
    const TaskFailure failure =
        Failure(Run(fmt::format(R"({{"script":"env","inherit_environment":["{}"]}})", name)));
    EXPECT_EQ(failure.kind, "config");
    EXPECT_THAT(failure.message, HasSubstr("{{secrets.NAME}}"));
  }
}

TEST_F(Isolation, RunsAsAnotherUserWhenTheEngineIsRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can";
  OpenToOthers();
  const Value output = Output(Run(
      R"({"script":"id -u; id -g; id -G; pwd > $TMPDIR/x; touch $HOME/y; echo who=$(id -un) >> outputs; cat $STELE_INPUT_FILE","user":"nobody"})"));
  const std::string printed = At(output, "stdout").as_string();
  EXPECT_THAT(printed, testing::StartsWith("65534\n65534\n65534\n"));
  EXPECT_EQ(At(output, "who"), Value("nobody"));
  EXPECT_TRUE(scratch_.IsEmpty());
}

TEST_F(Isolation, KeepsAnotherUserFromTheFilesOfTheEngine) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can";
  OpenToOthers();
  workspace_.Write("shadow", "not for everyone");
  ASSERT_EQ(chmod((workspace_.path() + "/shadow").c_str(), 0600), 0);
  EXPECT_EQ(Failure(Run(R"({"script":"cat $STELE_WORKSPACE/shadow","user":"nobody"})")).kind,
            "exit");
  // Nor may the engine read them in its place.
  const TaskFailure failure =
      Failure(Run(R"({"script":"ln -sf $STELE_WORKSPACE/shadow outputs","user":"nobody"})"));
  EXPECT_EQ(failure.kind, "outputs");
  EXPECT_THAT(failure.message, Not(HasSubstr("everyone")));
}

TEST_F(Isolation, RefusesAnotherUserClearly) {
  EXPECT_THAT(Failure(Run(R"({"script":"true","user":"no-such-user-here"})")).message,
              HasSubstr("Expected a user of this machine but found \"no-such-user-here\""));
  if (geteuid() == 0) return;
  const TaskFailure failure = Failure(Run(R"({"script":"true","user":"root"})"));
  EXPECT_EQ(failure.kind, "isolation");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("to be root"));
}

TEST_F(Isolation, GivesAScriptProcessesAndCapabilitiesOfItsOwn) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  const std::string printed = Printed(
      R"({"script":"echo pid $$; ls -d /proc/[0-9]*; grep CapEff /proc/self/status; id -u","isolation":"namespaces"})");
  EXPECT_THAT(printed, testing::StartsWith("pid 2\n"));
  EXPECT_THAT(printed, Not(HasSubstr("/proc/" + std::to_string(getpid()) + "\n")));
  EXPECT_THAT(printed, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(printed, testing::EndsWith("\n" + std::to_string(geteuid())));
  // The two copies of the engine cannot be looked into.
  EXPECT_EQ(Failure(Run(R"({"script":"cat /proc/1/environ","isolation":"namespaces"})")).kind,
            "exit");
}

TEST_F(Isolation, KeepsAScriptFromTheNetwork) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  const std::string devices =
      Printed(R"({"script":"tail -n +3 /proc/net/dev","isolation":"namespaces","network":false})");
  EXPECT_THAT(devices, HasSubstr("lo:"));
  EXPECT_EQ(devices.find('\n'), std::string::npos) << devices;
}

TEST_F(Isolation, TellsHowAScriptEndedInItsNamespaces) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  EXPECT_EQ(At(Failure(Run(R"({"script":"exit 3","isolation":"namespaces"})")).details.value(),
               "exit_code"),
            Value(3));
  EXPECT_EQ(
      At(Failure(Run(R"({"script":"kill -USR1 $$","isolation":"namespaces"})")).details.value(),
         "signal"),
      Value(SIGUSR1));
  const TaskFailure failure = Failure(
      Run(R"({"script":"while :; do :; done","isolation":"namespaces","limits":{"cpu":"1s"}})"));
  EXPECT_EQ(failure.kind, "limit");
}

TEST_F(Isolation, LetsAScriptInNamespacesCleanUp) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  for (int64_t ms = 50; ms < 100'000 && workspace_.Read("ready").empty(); ms *= 4) {
    const TaskFailure failure = Failure(Run(fmt::format(
        R"({{"script":"trap 'echo cleaned > $STELE_WORKSPACE/trace; exit 0' TERM; echo 1 > $STELE_WORKSPACE/ready; sleep 600 & wait","timeout":"{}ms","isolation":"namespaces"}})",
        ms)));
    EXPECT_EQ(failure.kind, "timeout");
  }
  EXPECT_EQ(workspace_.Read("trace"), "cleaned\n");
}

TEST_F(Isolation, LeavesNothingOfANamespaceNotEvenWhatLeftTheGroup) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  // It holds a lock as long as it lives.
  workspace_.Write("lock", "");
  Output(Run(
      R"({"script":"setsid flock $STELE_WORKSPACE/lock sleep 600 & while flock -n $STELE_WORKSPACE/lock true; do read -t 0.01 <> <(:); done; true","runtime":"bash","isolation":"namespaces"})"));
  EXPECT_EQ(Printed(R"({"script":"flock $STELE_WORKSPACE/lock echo free"})"), "free");
}

TEST_F(Isolation, BecomesAnotherUserInNamespacesToo) {
  if (geteuid() != 0 || !HasNamespaces()) GTEST_SKIP() << "only root can, with namespaces";
  OpenToOthers();
  const std::string printed = Printed(
      R"({"script":"id -u; echo pid $$; grep CapEff /proc/self/status","user":"nobody","isolation":"namespaces"})");
  EXPECT_EQ(printed, "65534\npid 2\nCapEff:\t0000000000000000");
}

// Starts an engine, waits until `file` holds a line with a number, kills the engine.
class KilledEngine {
 public:
  KilledEngine(const std::string& workspace, const std::string& scratch,
               const std::string& config) {
    std::string words[] = {ISOLATION_CHILD, workspace, scratch, config};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                         nullptr};
    EXPECT_EQ(posix_spawn(&pid_, ISOLATION_CHILD, nullptr, nullptr, arguments, environ), 0);
  }
  ~KilledEngine() { Kill(); }
  KilledEngine(const KilledEngine&) = delete;
  KilledEngine& operator=(const KilledEngine&) = delete;
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

TEST_F(Isolation, DiesWithAnEngineThatIsKilled) {
  TestLoop loop;
  KilledEngine engine(
      workspace_.path(), scratch_.path(),
      R"({"script":"trap '' TERM HUP; echo $$ > $STELE_WORKSPACE/pid; while :; do read -t 1 <> <(:); done","runtime":"bash"})");
  loop.RunUntil([&] { return workspace_.Read("pid").ends_with('\n'); });
  const pid_t script = std::atoi(workspace_.Read("pid").c_str());
  ASSERT_FALSE(IsGone(script));
  engine.Kill();
  loop.RunUntil([&] { return IsGone(script); });
}

TEST_F(Isolation, DiesWithAllThatItStartedInNamespaces) {
  if (!HasNamespaces()) GTEST_SKIP() << "no namespaces here";
  TestLoop loop;
  workspace_.Write("lock", "");
  KilledEngine engine(
      workspace_.path(), scratch_.path(),
      R"({"script":"setsid flock $STELE_WORKSPACE/lock sleep 600 & while flock -n $STELE_WORKSPACE/lock true; do read -t 0.01 <> <(:); done; echo 1 > $STELE_WORKSPACE/held; wait","runtime":"bash","isolation":"namespaces"})");
  loop.RunUntil([&] { return workspace_.Read("held").ends_with('\n'); });
  engine.Kill();
  // Would wait for as long as the sleeper lives.
  EXPECT_EQ(Printed(R"({"script":"flock $STELE_WORKSPACE/lock echo free"})"), "free");
}

TEST(ScriptConfinement, ReadsSizes) {
  EXPECT_EQ(ParseSizeBytes("4096"), 4096u);
  EXPECT_EQ(ParseSizeBytes("256MB"), 256u << 20);
  EXPECT_EQ(ParseSizeBytes("1.5 KiB"), 1536u);
  EXPECT_EQ(ParseSizeBytes("2g"), 2ull << 30);
  EXPECT_EQ(ParseSizeBytes("0"), 0u);
  for (const char* bad : {"", "MB", "-1", "1 XB", "1MBs", "99999999TB", "1e3"})
    EXPECT_EQ(ParseSizeBytes(bad), std::nullopt) << bad;
}

TEST(ScriptConfinement, NamesEveryFault) {
  TestLoop loop;
  const auto executor = MakeScriptExecutor(loop.get(), {});
  const auto faults = [&](const char* config) {
    return testing::PrintToString(executor->CheckConfig(Json(config)));
  };
  EXPECT_EQ(faults(R"({"script":"x","limits":{"cpu":"10s","memory":"256MB","files":64,
                       "processes":32,"file_size":"10MB","core":0},"isolation":"namespaces",
                       "network":false,"user":"nobody","inherit_environment":["A"]})"),
            "{}");
  EXPECT_EQ(faults(R"({"script":"x","limits":{"cpu":"{{variables.c}}"},"isolation":"${input.i}",
                       "network":false})"),
            "{}");
  EXPECT_THAT(faults(R"({"script":"x","limits":{"memroy":"1MB","cpu":"soon","files":1}})"),
              AllOf(HasSubstr("In `limits`: "), HasSubstr("memory, processes but found `memroy`"),
                    HasSubstr("soon"), HasSubstr("from 8 on")));
  EXPECT_THAT(faults(R"({"script":"x","limits":7})"), HasSubstr("an object as `limits`"));
  EXPECT_THAT(faults(R"({"script":"x","isolation":"chroot"})"), HasSubstr("chroot"));
  EXPECT_THAT(faults(R"({"script":"x","network":false})"), HasSubstr("isolation: namespaces"));
}

TEST(ScriptConfinement, SaysWhatTheMachineRefuses) {
  ScriptConfinement script;
  script.user = "nobody";
  for (const LaunchStep step : {LaunchStep::kLimits, LaunchStep::kUser, LaunchStep::kNamespaces}) {
    const auto failure = ConfinementFailure(script, step, "operation not permitted");
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->kind, "isolation");
    EXPECT_FALSE(failure->retryable);
    EXPECT_THAT(failure->message, HasSubstr("operation not permitted"));
  }
  EXPECT_FALSE(ConfinementFailure(script, LaunchStep::kProgram, "").has_value());
}

}  // namespace
}  // namespace stele::tasks
