// The time machine over one long history: what the first look costs, what memory it takes, how long
// any moment takes afterwards, a step forward and a step back.
//
//     time_machine_bench [--events N] [--among N] [--data DIR]
//
// The instance is a loop; its records lie in blocks of `--among` records (10 unless given), of
// which the others are of other instances, as on a busy shard: a block is what is read and unpacked
// for each of them. What is read was written a moment before, so that it comes from the page cache.
#include <fmt/format.h>

#include <random>

#include "bench/measuring.h"
#include "engine/decide/decide.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/model/codec.h"
#include "eventstore/rocksdb_store.h"
#include "replay/bisect.h"
#include "replay/state_json.h"
#include "replay/time_machine.h"

namespace stele {
namespace {

using bench::SecondsSince;
using bench::Steady;

constexpr ShardId kShard{0};
constexpr InstanceId kInstance{1};
constexpr InstanceId kOther{2};
constexpr uint64_t kMoments = 2'000;

struct Settings {
  uint64_t events = 1'000'000;
  uint64_t among = 10;
  std::string data = ".";
};

// Iterations of a few variables, until there are so many events.
constexpr const char* kLoop =
    "name: long\n"
    "variables: {total: 0, customer: 'Ada Lovelace', note: 'a text of some length, as there are'}\n"
    "steps:\n"
    "  - id: again\n"
    "    type: loop\n"
    "    times: 1000000\n"
    "    max_iterations: 1000000\n"
    "    steps:\n"
    "      - {id: work, type: script, config: {script: x}, outputs: {total: '{{ outputs.n }}'}}\n";

class Writer {
 public:
  Writer(eventstore::EventStore& store, const Settings& settings)
      : store_(store), settings_(settings) {
    const auto loaded = definition::Load(kLoop, definition::Syntax::kYaml, "long.yml");
    CHECK(loaded.has_value(), "{}", loaded.error().front().message);
    definition_ = *loaded;
    instance_.id = kInstance;
  }

  void Write() {
    const model::Event registered[] = {model::DefinitionRegistered{
        DefinitionId(1), "long", 1, definition::WriteCanonical(*definition_), "", "long.yml"}};
    Add(InstanceId(), Seq(1), registered);
    Flush();
    Decide(model::StartInstance{.definition = DefinitionId(1)});
    while (instance_.seq.value < settings_.events) {
      const RunId run = instance_.runs.back().id;
      Decide(model::CompleteAttempt{
          .run = run,
          .output = Payload::FromText(fmt::format("{{\"n\":{}}}", instance_.seq.value))});
    }
    Flush();
  }

 private:
  void Decide(const model::Command& command) {
    std::vector<model::Event> events;
    const Position position(store_.NextPosition(kShard).value + batch_.count());
    const decide::Context context{*definition_, {position, Now()}};
    const Seq first = instance_.seq.Next();
    const auto refused = decider_.Decide(instance_, command, context, events);
    CHECK(!refused.has_value(), "{}", refused->message);
    Add(kInstance, first, events);
    const model::Event other[] = {model::SignalReceived{"elsewhere", Payload()}};
    for (uint64_t i = 1; i < settings_.among; ++i) Add(kOther, other_.Next(), other);
    Flush();
  }
  void Add(InstanceId instance, Seq first, std::span<const model::Event> events) {
    batch_.Add({.instance = instance,
                .first_seq = first,
                .event_count = static_cast<uint32_t>(events.size()),
                .time = Now(),
                .actor = "bench"},
               encoder_.Encode(events));
    if (instance == kOther) other_ = first;
  }
  void Flush() {
    if (batch_.count() == 0) return;
    const Status written = store_.Append(kShard, store_.NextPosition(kShard), batch_);
    CHECK(written.has_value(), "{}", written.error().ToString());
    batch_.Clear();
  }
  TimeUs Now() const {
    return TimeUs(1'700'000'000'000'000 + static_cast<int64_t>(instance_.seq.value) * 1'000);
  }

  eventstore::EventStore& store_;
  const Settings& settings_;
  std::shared_ptr<const definition::Definition> definition_;
  model::Instance instance_;
  Seq other_;
  decide::Decider decider_;
  model::RecordEncoder encoder_;
  eventstore::Batch batch_;
};

void Tell(std::string_view what, std::vector<double> seconds) {
  std::ranges::sort(seconds);
  fmt::print("{:<16} median {:.3f} ms, worst {:.3f} ms of {}\n", what,
             seconds[seconds.size() / 2] * 1e3, seconds.back() * 1e3, seconds.size());
}

// How long each of them takes.
std::vector<double> Timed(replay::TimeMachine& machine, const std::vector<Seq>& moments,
                          bool as_document) {
  std::vector<double> seconds;
  for (const Seq seq : moments) {
    const auto start = Steady::now();
    const auto moment = machine.At(seq);
    CHECK(moment.has_value(), "{}", moment.error().ToString());
    if (as_document) CHECK(!replay::StateToJson(moment->state, moment->definition).empty());
    seconds.push_back(SecondsSince(start));
  }
  return seconds;
}

int Main(const Settings& settings) {
  const bench::Folder folder(settings.data);
  auto store = eventstore::OpenRocksDbStore(folder.path() + "/data");
  CHECK(store.has_value(), "{}", store.error().ToString());
  Writer(**store, settings).Write();
  const replay::StoreSource source(**store, kShard);
  const auto registry = replay::ReadRegistry(source);
  CHECK(registry.has_value(), "{}", registry.error().ToString());

  const auto start = Steady::now();
  const auto opened = replay::TimeMachine::Open(source, kInstance, *registry);
  CHECK(opened.has_value(), "{}", opened.error().ToString());
  replay::TimeMachine& machine = **opened;
  const uint64_t last = machine.last().value;
  fmt::print("first look       {:.2f} s for {} events; {} keyframes, {:.1f} MiB\n",
             SecondsSince(start), last, machine.Keyframes().size(),
             static_cast<double>(machine.bytes()) / (1 << 20));

  std::mt19937_64 random(1);
  std::vector<Seq> anywhere, forward, back;
  const uint64_t moments = std::min(kMoments, last / 2);
  for (uint64_t i = 0; i < moments; ++i) {
    anywhere.emplace_back(1 + random() % last);
    forward.emplace_back(last / 2 + i);
    back.emplace_back(last / 2 - i);
  }
  Tell("any moment", Timed(machine, anywhere, false));
  Tell("as a document", Timed(machine, anywhere, true));
  Tell("one forward", Timed(machine, forward, false));
  Tell("one back", Timed(machine, back, false));

  const auto expression = expression::Expression::Compile(fmt::format("seq > {}", last / 3));
  auto begin = Steady::now();
  const auto found = replay::Bisect(machine, *expression, 0);
  CHECK(found.has_value() && found->at.value == last / 3 + 1);
  fmt::print("bisect           {:.2f} ms, {} states\n", SecondsSince(begin) * 1e3,
             found->looked_at);
  begin = Steady::now();
  CHECK(replay::Bisect(machine, *expression, last)->at == found->at);
  fmt::print("bisect, exact    {:.2f} s\n", SecondsSince(begin));
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv, "[--events N] [--among N] [--data DIR]",
                              {{"--events", stele::bench::Into(settings.events)},
                               {"--among", stele::bench::Into(settings.among)},
                               {"--data", [&](const std::string& text) {
                                  settings.data = text;
                                  return true;
                                }}});
  return stele::Main(settings);
}
