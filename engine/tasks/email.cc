#include "engine/tasks/email.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/check.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/smtp_client.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

TaskResult Failed(TaskFailure failure, const Redactor& redactor, TaskLog log = {}) {
  failure.message = Excerpt(redactor, failure.message, kErrorTailBytes);
  if (failure.details.has_value()) {
    failure.details = Payload::FromValue(redactor.Redact(failure.details.value()));
  }
  return TaskResult{std::unexpected(std::move(failure)), std::move(log)};
}

Payload Accepted(const std::string& message_id, const std::vector<std::string>& recipients,
                 const Redactor& redactor) {
  Array accepted(recipients.begin(), recipients.end());
  return Payload::FromValue(
      redactor.Redact(Object{{"message_id", message_id}, {"accepted", std::move(accepted)}}));
}

class EmailExecutor final : public TaskExecutor {
 public:
  EmailExecutor(uv_loop_t* loop, const Clock* clock, EmailOptions options)
      : client_(loop), clock_(*clock), options_(std::move(options)) {}

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  // Whoever gets the mail twice knows it by its Message-ID.
  bool repeats_after_crash() const override { return true; }
  std::vector<std::string> CheckConfig(const Value& config) const override;

 private:
  // The mail's text into `plan.request`, and its id; or a failure when it is too long.
  std::expected<std::string, TaskFailure> Compose(const AttemptKey& key, EmailPlan& plan) const;

  SmtpClient client_;
  const Clock& clock_;
  EmailOptions options_;
  std::map<AttemptKey, uint64_t> running_;  // ids of the client's
};

std::expected<std::string, TaskFailure> EmailExecutor::Compose(const AttemptKey& key,
                                                               EmailPlan& plan) const {
  plan.message.message_id = MessageId(key.ToString(), plan);
  plan.message.time = clock_.Now();
  plan.request.message = BuildMessage(plan.message);
  if (plan.request.message.size() > options_.max_message_bytes) {
    return std::unexpected(
        TaskFailure{"config",
                    fmt::format("Expected a mail of at most {} bytes as it travels but found {}",
                                options_.max_message_bytes, plan.request.message.size()),
                    false,
                    {}});
  }
  return plan.message.message_id;
}

void EmailExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  AttemptKey key = request.key;
  CHECK(!running_.contains(key), "attempt {} runs already", key.ToString());
  auto plan = PlanEmail(request.config, ConfigReader::Mode::kRendered, options_);
  if (!plan) {
    done(Failed({"config", JoinFaults(plan.error()), false, {}}, Redactor(request.secrets)));
    return;
  }
  std::vector<std::string> secrets = std::move(request.secrets);
  secrets.push_back(plan->request.password);
  Redactor redactor(secrets);
  std::expected<std::string, TaskFailure> message_id = Compose(key, *plan);
  if (!message_id) {
    done(Failed(std::move(message_id.error()), redactor));
    return;
  }
  plan->request.timeout_us =
      EffectiveTimeout(plan->timeout_us, request.timeout_us, options_.timeout_us);
  std::string heading = fmt::format("{}, {} recipients, {} bytes", plan->request.server.Url(),
                                    plan->request.recipients.size(), plan->request.message.size());
  std::vector<std::string> recipients = plan->request.recipients;
  uint64_t id = client_.Send(
      std::move(plan->request),
      [this, key, redactor = std::move(redactor), heading = std::move(heading),
       message_id = *std::move(message_id), recipients = std::move(recipients),
       done = std::move(done)](std::expected<std::string, TaskFailure> reply) {
        running_.erase(key);
        TaskLog log{
            redactor.Text(fmt::format("{}: {}\n", heading, reply ? *reply : reply.error().message)),
            false};
        done(reply ? TaskResult{Accepted(message_id, recipients, redactor), std::move(log)}
                   : Failed(std::move(reply.error()), redactor, std::move(log)));
      });
  running_.emplace(key, id);
}

void EmailExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  auto found = running_.find(key);
  if (found != running_.end()) {
    client_.Cancel(found->second);
    running_.erase(found);
  }
  stopped();
}

std::vector<std::string> EmailExecutor::CheckConfig(const Value& config) const {
  auto plan = PlanEmail(config, ConfigReader::Mode::kStatic, options_);
  return plan ? std::vector<std::string>() : plan.error();
}

}  // namespace

std::unique_ptr<TaskExecutor> MakeEmailExecutor(uv_loop_t* loop, const Clock* clock,
                                                EmailOptions options) {
  return std::make_unique<EmailExecutor>(loop, clock, std::move(options));
}

}  // namespace stele::tasks
