// The bytes that the engine keeps: of an event of a workflow of ten steps with payloads of 200
// bytes, in the log, its index, its state, the views and the archive; what a dictionary would save
// of the hot log; how often the log's bytes are written.
//
//     space_bench [--instances N] [--records N] [--data DIR]
//
// Payloads come in two kinds: "alike", documents whose names repeat and whose values differ, and
// "random", texts that nothing can compress by more than a quarter. `--records N` (20,000,000 by
// hand) appends so many records of the workload to a log of its own, for the write amplification.
#include <fmt/format.h>
#include <uv.h>
#include <zdict.h>
#include <zstd.h>

#include <random>

#include "bench/measuring.h"
#include "bench/ten_step_load.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "projections/limits.h"
#include "projections/projector.h"

namespace stele {
namespace {

constexpr ShardId kShard;
constexpr size_t kPayloadBytes = 200;

struct Settings {
  uint64_t instances = 20'000;
  uint64_t records = 1'000'000;
  std::string data = ".";
};

// A JSON document of kPayloadBytes.
std::string Document(std::mt19937_64& random, bool alike) {
  std::string text;
  if (alike) {
    constexpr std::string_view kCities[] = {"Berlin", "Lyon", "Porto", "Graz", "Malmo"};
    text = fmt::format(
        R"({{"ok":true,"order":{},"customer":"c-{:08x}","amount":{}.{:02},"currency":"EUR",)"
        R"("city":"{}","carrier":"post","note":")",
        random() % 10'000'000, static_cast<uint32_t>(random()), random() % 1'000, random() % 100,
        kCities[random() % std::size(kCities)]);
    while (text.size() + 2 < kPayloadBytes) text += "as agreed by phone "[text.size() % 19];
  } else {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    text = R"({"data":")";
    while (text.size() + 2 < kPayloadBytes) text += kLetters[random() % kLetters.size()];
  }
  return text + "\"}";
}

uint64_t BytesIn(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, ignored))
    if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
  return bytes;
}

std::unique_ptr<eventstore::EventStore> OpenStore(const std::string& path) {
  auto store = eventstore::OpenRocksDbStore(path);
  CHECK(store.has_value(), "{}", store.error().ToString());
  return *std::move(store);
}

struct LogSize {
  uint64_t records = 0;
  uint64_t events = 0;
};

// Calls visit for each record.
template <class Visit>
void ForEachRecord(const eventstore::EventStore& store, Visit visit) {
  auto cursor = store.Read(kShard, Position(1));
  CHECK(cursor.has_value(), "{}", cursor.error().ToString());
  for (;;) {
    auto record = (*cursor)->Next();
    CHECK(record.has_value(), "{}", record.error().ToString());
    if (!record->has_value()) return;
    visit(**record);
  }
}

void Run(const std::string& path, uint64_t instances, bool alike) {
  const auto store = OpenStore(path);
  std::mt19937_64 random(1);
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    bench::Load load(&loop, *store,
                     [&](const tasks::TaskRequest&) { return Document(random, alike); });
    load.Open();
    load.Run(instances, 1'000);
    load.Close();
  }
  uv_loop_close(&loop);
}

// The views of the log at `path`, in a directory of their own.
void BuildViews(const std::string& path) {
  const auto store = OpenStore(path);
  auto views =
      projections::Projector::Open(*store, kShard, path + "/views", projections::AllViews());
  CHECK(views.has_value(), "{}", views.error().ToString());
  const Status built = (*views)->CatchUp();
  CHECK(built.has_value(), "{}", built.error().ToString());
}

void MeasureKept(const Settings& settings, bool alike) {
  const bench::Folder folder(settings.data);
  const std::string& path = folder.path();
  Run(path, settings.instances, alike);
  BuildViews(path);
  LogSize size;
  {
    const auto store = OpenStore(path);
    ForEachRecord(*store, [&](const eventstore::RecordView& record) {
      ++size.records;
      size.events += record.header.event_count;
    });
  }
  const auto each = [&](uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(size.events);
  };
  fmt::print("{} payloads: {} instances, {} records, {} events; bytes of an event:\n",
             alike ? "alike" : "random", settings.instances, size.records, size.events);
  const uint64_t log = BytesIn(path + "/log");
  const uint64_t state = BytesIn(path + "/state");
  const uint64_t views = BytesIn(path + "/views");
  fmt::print("  log {:.1f}, index and state {:.1f}, views {:.1f}, together {:.1f}\n", each(log),
             each(state), each(views), each(log + state + views));
  uint64_t segments = 0;
  {
    const auto store = OpenStore(path);
    const auto archived = store->Archive(kShard, store->NextPosition(kShard));
    CHECK(archived.has_value(), "{}", archived.error().ToString());
    segments = store->Stats().archive_bytes;
  }
  const uint64_t rest = BytesIn(path + "/log");
  fmt::print("  archived: archive {:.1f}, log {:.1f}, index and state {:.1f}, together {:.1f}\n",
             each(segments), each(rest), each(BytesIn(path + "/state")),
             each(segments + rest + BytesIn(path + "/state") + BytesIn(path + "/views")));
}

// ---- A dictionary for the hot log's blocks ----

size_t Compressed(ZSTD_CCtx* context, std::string_view text, const ZSTD_CDict* dictionary,
                  std::string& out) {
  out.resize(ZSTD_compressBound(text.size()));
  const size_t size =
      dictionary == nullptr
          ? ZSTD_compressCCtx(context, out.data(), out.size(), text.data(), text.size(), 1)
          : ZSTD_compress_usingCDict(context, out.data(), out.size(), text.data(), text.size(),
                                     dictionary);
  CHECK(ZSTD_isError(size) == 0, "{}", ZSTD_getErrorName(size));
  return std::min(size, text.size());
}

// From records of the log's first tenth.
std::string Train(const std::vector<std::string>& frames) {
  std::string samples;
  std::vector<size_t> sizes;
  for (size_t i = 0; i < frames.size() / 10 && samples.size() < (16u << 20); ++i) {
    samples += frames[i];
    sizes.push_back(frames[i].size());
  }
  std::string dictionary(112'640, '\0');
  const size_t size = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                                            sizes.data(), static_cast<unsigned>(sizes.size()));
  CHECK(ZDICT_isError(size) == 0, "{}", ZDICT_getErrorName(size));
  dictionary.resize(size);
  return dictionary;
}

void MeasureDictionary(const Settings& settings, bool alike) {
  const bench::Folder folder(settings.data);
  Run(folder.path(), std::min<uint64_t>(settings.instances, 5'000), alike);
  std::vector<std::string> frames;
  ForEachRecord(*OpenStore(folder.path()), [&](const eventstore::RecordView& record) {
    eventstore::Batch one;
    one.Add(record.header, record.body);
    frames.emplace_back(one.frames());
  });
  const std::string trained = Train(frames);
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CDict* const dictionary = ZSTD_createCDict(trained.data(), trained.size(), 1);
  fmt::print("{} payloads, zstd 1, bytes of a record (and ns to compress it):\n",
             alike ? "alike" : "random");
  std::string out;
  const size_t trained_from = frames.size() / 10;  // so many records
  for (const size_t records : {1, 55, 340, 2'000}) {
    size_t raw = 0, plain = 0, helped = 0;
    double plain_s = 0, helped_s = 0;
    for (size_t first = trained_from; first < frames.size(); first += records) {
      std::string block;
      for (size_t i = first; i < std::min(first + records, frames.size()); ++i) block += frames[i];
      raw += block.size();
      auto start = bench::Steady::now();
      plain += Compressed(context, block, nullptr, out);
      plain_s += bench::SecondsSince(start);
      start = bench::Steady::now();
      helped += Compressed(context, block, dictionary, out);
      helped_s += bench::SecondsSince(start);
    }
    const auto count = static_cast<double>(frames.size() - trained_from);
    fmt::print(
        "  blocks of {:>4}: raw {:.0f}, without {:.1f} ({:.0f} ns), with a dictionary {:.1f} "
        "({:.0f} ns)\n",
        records, static_cast<double>(raw) / count, static_cast<double>(plain) / count,
        plain_s * 1e9 / count, static_cast<double>(helped) / count, helped_s * 1e9 / count);
  }
  ZSTD_freeCDict(dictionary);
  ZSTD_freeCCtx(context);
}

// ---- Write amplification ----

void MeasureWriting(const Settings& settings) {
  const bench::Folder folder(settings.data);
  const auto store = OpenStore(folder.path());
  std::mt19937_64 random(1);
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    bench::Load load(&loop, *store,
                     [&](const tasks::TaskRequest&) { return Document(random, true); });
    load.Open();
    // A start, and a record a step.
    load.Run(std::max<uint64_t>(settings.records / 11, 1), 1'000);
    load.Close();
  }
  uv_loop_close(&loop);
  const eventstore::StoreStats stats = store->Stats();
  const uint64_t written =
      stats.wal_bytes_written + stats.flush_bytes_written + stats.compaction_bytes_written;
  const auto appended = static_cast<double>(stats.appended_bytes);
  fmt::print(
      "{} records appended, {} MiB of blocks ({} MiB before compression): the log wrote {} MiB "
      "(write-ahead {}, tables {}, compactions {}), {:.2f} times; its index {} MiB, together "
      "{:.2f} "
      "times\n",
      store->NextPosition(kShard).value - 1, stats.appended_bytes >> 20, stats.raw_bytes >> 20,
      written >> 20, stats.wal_bytes_written >> 20, stats.flush_bytes_written >> 20,
      stats.compaction_bytes_written >> 20, static_cast<double>(written) / appended,
      stats.index_bytes_written >> 20,
      static_cast<double>(written + stats.index_bytes_written) / appended);
}

int Main(const Settings& settings) {
  for (const bool alike : {true, false}) {
    MeasureKept(settings, alike);
    MeasureDictionary(settings, alike);
  }
  MeasureWriting(settings);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv, "[--instances N] [--records N] [--data DIR]",
                              {{"--instances", stele::bench::Into(settings.instances)},
                               {"--records", stele::bench::Into(settings.records)},
                               {"--data", stele::bench::Into(settings.data)}});
  return stele::Main(settings);
}
