// Scripts that end well: what they see and what becomes of what they write.
#include "engine/tasks/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "script_fixture.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Script, TurnsLinesOfTheFileOutputsIntoTexts) {
  Value output = Output(Run(R"({"script":"echo production=true >> outputs","executor":"bash"})"));
  EXPECT_EQ(At(output, "production"), Value("true"));
  EXPECT_EQ(At(output, "exit_code"), Value(0));
  EXPECT_EQ(At(output, "stdout"), Value(""));
}

TEST_F(Script, FindsTheFileOfOutputsFromAnyWorkingDirectory) {
  workspace_.Write("marker", "");
  Value output = Output(Run(R"({"script":"test -e marker && echo found=yes >> \"$STELE_OUTPUTS\"",
              "working_directory":"."})"));
  EXPECT_EQ(At(output, "found"), Value("yes"));
}

TEST_F(Script, RunsAFileOfTheWorkspaceWithItsArguments) {
  workspace_.Write("greet.sh", "echo \"$1, $2\"\n");
  Value output = Output(Run(R"({"script":"greet.sh","args":["hello world",7]})"));
  EXPECT_EQ(At(output, "stdout"), Value("hello world, 7"));
}

TEST_F(Script, LooksForFilesBesideTheDefinitionToo) {
  TemporaryDirectory definition;
  definition.Write("here.sh", "echo here");
  options_.search_directories = {definition.path()};
  EXPECT_EQ(At(Output(Run(R"({"script":"here.sh"})")), "stdout"), Value("here"));
}

TEST_F(Script, RunsACommandLineInAShell) {
  Value output = Output(Run(R"({"command":"printf '%s' a b | tr ab xy","runtime":"sh"})"));
  EXPECT_EQ(At(output, "stdout"), Value("xy"));
}

TEST_F(Script, RunsPythonWithTheInputAsJson) {
  if (!Installed("python3")) GTEST_SKIP() << "python3 is not installed";
  workspace_.Write("total.py",
                   "import json, os\n"
                   "data = json.loads(os.environ['STELE_INPUT'])\n"
                   "print(json.dumps({'total': sum(data['numbers'])}))\n");
  Value output = Output(Run(R"({"script":"total.py"})", Json(R"({"numbers":[1,2,39]})")));
  EXPECT_EQ(At(output, "result"), Json(R"({"total":42})"));
}

TEST_F(Script, RunsNodeWithTheInputAsAFile) {
  if (!Installed("node")) GTEST_SKIP() << "node is not installed";
  workspace_.Write("double.js",
                   "const fs = require('fs');\n"
                   "const input = JSON.parse(fs.readFileSync(process.env.STELE_INPUT_FILE));\n"
                   "console.log(JSON.stringify(input.rows.map(row => row * 2)));\n");
  Value output =
      Output(Run(R"({"script":"double.js","runtime":"node"})", Json(R"({"rows":[1,2]})")));
  EXPECT_EQ(At(output, "result"), Json("[2,4]"));
}

TEST_F(Script, TakesTheRuntimeFromAFirstLine) {
  if (!Installed("python3")) GTEST_SKIP() << "python3 is not installed";
  EXPECT_EQ(At(Output(Run(R"({"script":"#!/usr/bin/env python3\nprint(6 * 7)\n"})")), "stdout"),
            Value("42"));
}

TEST_F(Script, TakesTheRuntimeOfAFileWithoutAnEndingFromItsFirstLine) {
  if (!Installed("python3")) GTEST_SKIP() << "python3 is not installed";
  workspace_.Write("deploy", "#!/usr/bin/python3.11 -u\nprint(6 * 7)\n");
  EXPECT_EQ(At(Output(Run(R"({"script":"deploy"})")), "stdout"), Value("42"));
}

TEST_F(Script, IsNoShellsWhenItsFirstLineNamesAnother) {
  workspace_.Write("report", "#!/usr/bin/perl -w\nprint 42;\n");
  for (const char* config :
       {R"({"script":"report"})", R"({"script":"#!/usr/bin/perl -w\nprint 42;\n"})"}) {
    TaskFailure failure = Failure(Run(config));
    EXPECT_EQ(failure.kind, "config");
    EXPECT_EQ(failure.message,
              "Expected a first line that names sh, bash, python or node but found "
              "\"#!/usr/bin/perl -w\"");
  }
}

TEST_F(Script, SeesItsScalarInputsAndItsAttempt) {
  Value output = Output(Run(
      R"({"script":"echo $INPUT_ORDER_ID $INPUT_N $INPUT_OK ${INPUT_LIST-none} $STELE_INSTANCE $STELE_STEP $STELE_ATTEMPT $STELE_IDEMPOTENCY_KEY"})",
      Json(R"({"order-id":"A 1","n":2.5,"ok":true,"list":[1]})")));
  EXPECT_EQ(At(output, "stdout"), Value("A 1 2.5 true none 42 a-step 1 42-7-1"));
}

TEST_F(Script, SeesNothingOfTheEnvironmentButWhatIsDeclared) {
  ASSERT_EQ(setenv("STELE_TEST_PRIVATE", "leaked", 1), 0);
  Value output = Output(Run(R"({"script":"env","env":{"DECLARED":"a b","N":3}})"));
  unsetenv("STELE_TEST_PRIVATE");
  std::string text = At(output, "stdout").as_string();
  EXPECT_THAT(text, HasSubstr("DECLARED=a b\n"));
  EXPECT_THAT(text, HasSubstr("N=3\n"));
  EXPECT_THAT(text, HasSubstr("STELE_WORKSPACE=" + workspace_.path()));
  EXPECT_THAT(text, Not(HasSubstr("leaked")));
}

TEST_F(Script, GetsAnInputThatTheEnvironmentCannotHold) {
  std::string large(300'000, 'x');
  Value output = Output(Run(R"({"script":"wc -c < $STELE_INPUT_FILE; echo ${STELE_INPUT-absent}"})",
                            Object{{"large", large}}));
  EXPECT_EQ(At(output, "stdout"), Value("300012\nabsent"));
}

TEST_F(Script, ReadsNothingFromItsInput) {
  EXPECT_EQ(At(Output(Run(R"({"script":"cat; echo end"})")), "stdout"), Value("end"));
}

TEST_F(Script, MayOpenItsOwnStreamsByName) {
  TaskResult result = Run(R"({"script":"echo one > /dev/stderr; echo two > /dev/stdout"})");
  EXPECT_EQ(At(Output(result), "stdout"), Value("two"));
  EXPECT_THAT(result.log.text, HasSubstr("one\n"));
}

TEST_F(Script, LeavesNothingBehindInTheScratchDirectory) {
  Output(Run(R"({"script":"mkdir -p a/b; touch a/b/c; mktemp"})"));
  Failure(Run(R"({"script":"touch x; exit 1"})"));
  EXPECT_TRUE(scratch_.IsEmpty());
}

TEST_F(Script, GivesNoResultWhenTheTextIsMoreThanOneDocument) {
  Value output = Output(Run(R"({"script":"echo '{\"a\":1}'; echo done"})"));
  EXPECT_EQ(output.Find("result"), nullptr);
}

TEST_F(Script, LetsDeclaredOutputsWin) {
  Value output = Output(Run(R"({"script":"echo '{}'; echo result=mine >> outputs"})"));
  EXPECT_EQ(At(output, "result"), Value("mine"));
}

TEST_F(Script, ShortensALongTextAndSaysSo) {
  TaskResult result = Run(R"({"script":"head -c 3000000 /dev/zero | tr '\\0' x"})");
  Value output = Output(result);
  EXPECT_LT(At(output, "stdout").as_string().size(), kMaxStdoutOutputBytes + 100);
  EXPECT_EQ(At(output, "stdout_truncated"), Value(true));
  EXPECT_TRUE(result.log.truncated);
  EXPECT_LT(result.log.text.size(), kMaxLogBytes + 100);
}

TEST_F(Script, ShowsNoSecretWhereverItTurnsUp) {
  TaskRequest request = Attempt(Json(
      R"({"script":"echo out $T; echo err $T >&2; echo \"v=$T\" >> outputs","env":{"T":"hunter2!"}})"));
  request.secrets = {"hunter2!"};
  TaskResult result = Start(std::move(request));
  EXPECT_EQ(At(Output(result), "v"), Value("***"));
  EXPECT_EQ(At(Output(result), "stdout"), Value("out ***"));
  EXPECT_THAT(result.log.text, HasSubstr("err ***"));
  EXPECT_THAT(result.log.text, Not(HasSubstr("hunter2!")));
}

TEST_F(Script, RunsAttemptsSideBySide) {
  TestLoop loop;
  auto executor = MakeScriptExecutor(loop.get(), options_);
  int ended = 0;
  for (uint32_t attempt = 1; attempt <= 8; ++attempt) {
    executor->Start(
        Attempt(Json(R"({"script":"echo n=$STELE_ATTEMPT >> outputs"})"), Object(), attempt),
        [&ended, attempt](TaskResult result) {
          EXPECT_EQ(At(Output(result), "n"), Value(std::to_string(attempt)));
          ++ended;
        });
  }
  loop.RunUntil([&ended] { return ended == 8; });
}

}  // namespace
}  // namespace stele::tasks
