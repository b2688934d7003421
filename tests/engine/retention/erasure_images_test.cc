// An erasure of which a crash leaves each of its moments: the next start brings it to its end, in
// the files too.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "eventstore/log_db.h"
#include "eventstore/payload_keys.h"
#include "tests/engine/retention/steady_engine.h"
#include "tests/eventstore/archive_store.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

constexpr InstanceId kErased(1);

SteadyOptions Over(const std::string& directory) {
  return {.directory = directory, .days = 0, .ended = nullptr, .step = nullptr, .sealed = true};
}

TEST(ErasureImages, AreFinishedByTheNextStartInTheFilesToo) {
  const eventstore::TempDir directory;
  const std::string data = directory.path() + "/data";
  {
    SteadyEngine engine(Over(data));
    engine.Register();
    engine.Day(2);
  }
  std::string wrapped;
  {
    eventstore::LogDb log;
    ASSERT_TRUE(log.Open(data + "/log", 1 << 20, false, nullptr).has_value());
    wrapped = **log.ReadKey(eventstore::PayloadKeyId{kSteadyShard, kErased, Position()}.Name());
  }
  // What kill -9 would leave there; views are made anew.
  std::vector<std::string> steps;
  {
    SteadyOptions options = Over(data);
    options.step = [&](std::string_view step) {
      const std::string image = fmt::format("{}/{}", directory.path(), steps.size());
      std::filesystem::create_directory(image);
      for (const char* part : {"/log", "/state"})
        std::filesystem::copy(data + part, image + part, std::filesystem::copy_options::recursive);
      steps.emplace_back(step);
    };
    SteadyEngine engine(options);
    engine.Erase(kErased);
  }
  ASSERT_GE(steps.size(), 8u);
  for (size_t i = 0; i < steps.size(); ++i) {
    SCOPED_TRACE(steps[i]);
    const std::string image = fmt::format("{}/{}", directory.path(), i);
    {
      SteadyEngine engine(Over(image));
      engine.AwaitFinished();
      EXPECT_TRUE(*engine.store().KeyDestroyed(kSteadyShard, kErased));
    }
    EXPECT_FALSE(eventstore::AnyFileHas(image, wrapped));
  }
}

}  // namespace
}  // namespace stele::retention
