#include "cli/load/workers.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "server/rpc/errors.h"
#include "stele/worker.h"

namespace stele::load {

Workers::Workers(const ServerAddress& server, size_t count, uint32_t slots,
                 std::function<void(const Error&)> failed) {
  std::optional<sdk::Tls> tls;
  if (server.tls)
    tls = sdk::Tls{.ca_file = server.ca_file,
                   .certificate_file = server.certificate_file,
                   .key_file = server.key_file,
                   .server_name = ""};
  for (size_t i = 0; i < count; ++i) {
    // Whoever shows a certificate may have no other name than it says.
    std::string name =
        server.certificate_file.empty() ? fmt::format("stele-bench-{}", i + 1) : std::string();
    // Handlers on the connection's thread: they do nothing.
    workers_.push_back(std::make_unique<sdk::Worker>(sdk::WorkerOptions{.address = server.address,
                                                                        .token = server.token,
                                                                        .name = std::move(name),
                                                                        .slots = slots,
                                                                        .threads = 0,
                                                                        .tls = tls,
                                                                        .note = nullptr}));
    workers_.back()->Handle(std::string(kTaskType),
                            [](const sdk::Task&) -> sdk::Result { return "{}"; });
    threads_.emplace_back([worker = workers_.back().get(), failed] {
      const auto worked = worker->Run();
      if (worked.has_value()) return;
      failed(server::rpc::ParseError(worked.error())
                 .value_or(Error{ErrorCode::kUnreachable, worked.error()}));
    });
  }
}

Workers::~Workers() {
  for (const auto& worker : workers_) worker->Stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace stele::load
