#include "server/observation/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace stele::server {
namespace {

TEST(ProcessFigures, AreOfThisProcess) {
  const ProcessFigures figures = ReadProcess();
  EXPECT_GT(figures.resident_bytes, 1u << 20);
  EXPECT_GE(figures.virtual_bytes, figures.resident_bytes);
  EXPECT_GE(figures.cpu_seconds, 0);
  EXPECT_GE(figures.threads, 1u);
  EXPECT_GT(figures.max_fds, figures.open_fds);
  EXPECT_GT(figures.start_seconds, 1.5e9);
}

TEST(ProcessFigures, CountADescriptorThatWasOpened) {
  const uint64_t before = ReadProcess().open_fds;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(ReadProcess().open_fds, before + 1);
  close(fd);
}

}  // namespace
}  // namespace stele::server
