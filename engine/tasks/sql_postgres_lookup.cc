#include "engine/tasks/sql_postgres_lookup.h"

#include <fmt/format.h>
#include <netdb.h>

#include <utility>

#include "base/check.h"

namespace stele::tasks {
namespace {

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

// The path of a socket, an address, or nothing at all.
bool IsPlain(const std::string& host) {
  unsigned char address[16];
  return host.empty() || host[0] == '/' || host[0] == '@' ||
         uv_inet_pton(AF_INET, host.c_str(), address) == 0 ||
         uv_inet_pton(AF_INET6, host.c_str(), address) == 0;
}

}  // namespace

bool PostgresLookup::IsNeeded(const PostgresSettings& settings) {
  if (!Setting(settings, "hostaddr").empty()) return false;
  for (const std::string& host : Split(Setting(settings, "host"))) {
    if (!IsPlain(host)) return true;
  }
  return false;
}

PostgresLookup::PostgresLookup(uv_loop_t* loop, PostgresSettings settings, Done done)
    : loop_(loop), settings_(std::move(settings)), done_(std::move(done)) {
  CHECK(IsNeeded(settings_), "nothing to look up");
  hosts_ = Split(Setting(settings_, "host"));
  ports_ = Split(Setting(settings_, "port"));
  Next();
}

PostgresLookup::~PostgresLookup() {
  if (request_ == nullptr) return;
  request_->data = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(request_));  // when it has begun, it ends for nobody
}

void PostgresLookup::Add(const std::string& host, const std::string& address) {
  // As libpq has it: one port for all hosts, or one each.
  const std::string& port = ports_.size() == hosts_.size() ? ports_[at_] : ports_[0];
  std::string_view comma = any_ ? "," : "";
  out_hosts_ += fmt::format("{}{}", comma, host);
  out_addresses_ += fmt::format("{}{}", comma, address);
  out_ports_ += fmt::format("{}{}", comma, port);
  any_ = true;
}

void PostgresLookup::Next() {
  while (at_ < hosts_.size() && IsPlain(hosts_[at_])) {
    Add(hosts_[at_], "");
    ++at_;
  }
  if (at_ >= hosts_.size()) {
    settings_["host"] = out_hosts_;
    settings_["hostaddr"] = out_addresses_;
    settings_["port"] = out_ports_;
    std::exchange(done_, nullptr)(std::move(settings_), "");
    return;
  }
  request_ = new uv_getaddrinfo_t;
  request_->data = this;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  int started = uv_getaddrinfo(
      loop_, request_,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        auto* self = static_cast<PostgresLookup*>(request->data);
        delete request;
        if (self != nullptr) {
          self->request_ = nullptr;
          self->Take(status, found);
        }
        uv_freeaddrinfo(found);
      },
      hosts_[at_].c_str(), nullptr, &hints);
  if (started != 0) {  // no name at all: not UTF-8, or longer than a name can be
    delete std::exchange(request_, nullptr);
    TakeLater(started);
  }
}

void PostgresLookup::TakeLater(int status) {
  status_ = status;
  later_ = MakeTimer(loop_, this);
  uv_timer_start(
      later_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<PostgresLookup*>(timer->data);
        self->Take(self->status_, nullptr);
      },
      0, 0);
}

void PostgresLookup::Take(int status, const addrinfo* found) {
  for (; status == 0 && found != nullptr; found = found->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      Add(hosts_[at_], text);
    }
  }
  ++at_;
  // One host that is not known is passed over while there are others.
  if (at_ >= hosts_.size() && !any_) {
    std::string unknown = fmt::format("{}: {}", hosts_.back(),
                                      status == 0 ? "it has no address" : uv_strerror(status));
    std::exchange(done_, nullptr)({}, std::move(unknown));
    return;
  }
  Next();
}

}  // namespace stele::tasks
