// An engine inside a program: task types, a trigger and a plugin of its own, and what can be asked
// of a running workflow. usage: embedding DEFINITION DATA_DIRECTORY
#include <stele/engine.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace stele::embed;
using std::chrono::seconds;

// The value, or the end of the program with the reason why there is none.
template <class T>
T Get(Result<T> result) {
  if (result.has_value()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().ToString().c_str());
  std::exit(1);
}

void Expect(const Status& status) {
  if (status.has_value()) return;
  std::fprintf(stderr, "%s\n", status.error().ToString().c_str());
  std::exit(1);
}

// Starts a deployment for every new tag. This one knows its tags; another would look at a
// repository.
class TagTrigger final : public Trigger {
 public:
  explicit TagTrigger(std::vector<std::string> tags) : tags_(std::move(tags)) {}

  void Start(Fire fire) override {
    watcher_ = std::thread([this, fire] {
      for (const std::string& tag : tags_) {
        const Result<uint64_t> id = fire(tag, JsonObject({{"tag", tag}}));
        if (!id.has_value()) std::exit(1);
        const std::lock_guard lock(mutex_);
        started_.push_back(*id);
      }
      done_ = true;
      done_.notify_all();
    });
  }
  void Stop() override { watcher_.join(); }

  std::vector<uint64_t> Started() {
    done_.wait(false);
    const std::lock_guard lock(mutex_);
    return started_;
  }

 private:
  std::vector<std::string> tags_;
  std::thread watcher_;
  std::mutex mutex_;
  std::vector<uint64_t> started_;
  std::atomic<bool> done_ = false;
};

// Counts what it is told of.
struct Counts {
  std::atomic<int> started = 0, steps = 0, ended = 0;
};
class CountingPlugin final : public Plugin {
 public:
  explicit CountingPlugin(std::shared_ptr<Counts> counts) : counts_(std::move(counts)) {}
  void OnStart(const InstanceNotice&) override { ++counts_->started; }
  void OnStep(const StepNotice& step) override {
    if (step.phase == "completed") ++counts_->steps;
  }
  void OnEnd(const InstanceNotice&) override { ++counts_->ended; }

 private:
  std::shared_ptr<Counts> counts_;
};

void RegisterTasks(Engine& engine) {
  Expect(engine.RegisterFunction("compile", [](const Attempt& attempt) {
    const std::string artifact = *attempt.Get("target") + "-" + *attempt.Get("version") + ".tar";
    return TaskResult().Output("artifact", artifact).Log("compiled " + artifact + "\n");
  }));
  // Fails the first time in production: the definition's retry policy takes care of that.
  Expect(engine.RegisterFunction("database-migration", [](const Attempt& attempt) {
    if (attempt.Get("environment") == "production" && attempt.number == 1)
      return TaskResult::Failed("locked", "the database is in use");
    return TaskResult().Output("migrated", *attempt.Get("database"));
  }));
}

// Starts a deployment and waits for its end.
void Deploy(Engine& engine) {
  const uint64_t id = Get(
      engine.Start({.definition = "deploy-app",
                    .variables = JsonObject({{"environment", "production"}, {"version", "1.2.3"}}),
                    .business_key = "release-1.2.3"}));
  const Instance ended = Get(engine.Wait(id, seconds(30)));
  std::printf("instance %llu %s: %s\n", static_cast<unsigned long long>(id), ended.status.c_str(),
              JsonMember(ended.output, "artifact")->c_str());
}

// Pauses, goes on, cancels.
void Operate(Engine& engine) {
  Get(engine.RegisterText(R"({"version": "1.0", "name": "nightly",
      "steps": [{"id": "rest", "type": "delay", "config": {"duration": "8h"}}]})"));
  const uint64_t id = Get(engine.Start({.definition = "nightly"}));
  Get(engine.Pause(id, "the supplier is down"));
  std::printf("nightly is %s\n", Get(engine.GetStatus(id)).status.c_str());
  Get(engine.Resume(id));
  std::printf("nightly is %s\n", Get(engine.GetStatus(id)).status.c_str());
  Get(engine.Cancel(id));
  std::printf("nightly is %s\n", Get(engine.Wait(id, seconds(30))).status.c_str());
  std::printf("a second cancel is refused: %s\n", engine.Cancel(id).error().code.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s DEFINITION DATA_DIRECTORY\n", argv[0]);
    return 2;
  }
  const auto counts = std::make_shared<Counts>();
  const std::unique_ptr<Engine> engine = Get(Engine::Open({}, argv[2]));
  RegisterTasks(*engine);
  Expect(engine->RegisterPlugin(std::make_unique<CountingPlugin>(counts)));
  const Definition definition = Get(engine->RegisterFile(argv[1]));
  std::printf("registered %s version %u\n", definition.name.c_str(), definition.version);

  auto trigger = std::make_unique<TagTrigger>(std::vector<std::string>{"v1", "v2", "v1"});
  TagTrigger& tags = *trigger;
  Get(engine->RegisterTrigger(definition.name, "git-tag", R"({"branch": "main"})",
                              std::move(trigger)));
  Get(engine->Continue());

  Deploy(*engine);
  Operate(*engine);
  const std::vector<uint64_t> started = tags.Started();
  std::printf("the tags v1, v2, v1 started %d deployments\n", started[0] == started[2] ? 2 : 3);
  for (const uint64_t id : started) Get(engine->Wait(id, seconds(30)));

  std::printf("completed: %zu\n", Get(engine->Query({.status = "completed"})).size());
  Expect(engine->Stop());
  std::printf("the plugin saw %d starts, %d steps, %d ends\n", counts->started.load(),
              counts->steps.load(), counts->ended.load());
  return 0;
}
