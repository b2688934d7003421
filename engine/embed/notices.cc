#include "engine/embed/notices.h"

#include "engine/model/instance.h"

namespace stele::embed {

namespace {

template <class T>
const T* As(const model::Event& event) {
  return std::get_if<T>(&event);
}

std::optional<StepNotice> StepNoticeOf(const model::Event& event) {
  StepNotice notice;
  if (As<model::StepActivated>(event) != nullptr) {
    notice.phase = "started";
  } else if (As<model::RetryScheduled>(event) != nullptr) {
    notice.phase = "retrying";
  } else if (const auto* completed = As<model::StepCompleted>(event)) {
    notice.phase = "completed";
    notice.output = std::string(completed->output.text());
  } else if (const auto* failed = As<model::StepFailed>(event)) {
    notice.phase = "failed";
    notice.kind = failed->kind;
    notice.message = failed->message;
  } else if (As<model::StepCancelled>(event) != nullptr) {
    notice.phase = "cancelled";
  } else if (As<model::StepSkipped>(event) != nullptr) {
    notice.phase = "skipped";
  } else {
    return std::nullopt;
  }
  return notice;
}

std::optional<InstanceNotice> EndNoticeOf(const model::Event& event) {
  InstanceNotice notice;
  if (const auto* completed = As<model::InstanceCompleted>(event)) {
    notice.status = "completed";
    notice.output = std::string(completed->output.text());
  } else if (const auto* failed = As<model::InstanceFailed>(event)) {
    notice.status = "failed";
    notice.kind = failed->kind;
    notice.message = failed->message;
  } else if (As<model::InstanceCancelled>(event) != nullptr) {
    notice.status = "cancelled";
  } else if (const auto* terminated = As<model::InstanceTerminated>(event)) {
    notice.status = "terminated";
    notice.message = terminated->reason;
  } else {
    return std::nullopt;
  }
  return notice;
}

}  // namespace

RunId RunOf(const model::Event& event) {
  if (const auto* activated = As<model::StepActivated>(event)) return activated->run;
  if (const auto* completed = As<model::StepCompleted>(event)) return completed->run;
  if (const auto* failed = As<model::StepFailed>(event)) return failed->run;
  if (const auto* cancelled = As<model::StepCancelled>(event)) return cancelled->run;
  if (const auto* retry = As<model::RetryScheduled>(event)) return retry->run;
  return RunId();
}

bool EndsRun(const model::Event& event) {
  if (const auto* failed = As<model::StepFailed>(event)) return !failed->fallback;
  return As<model::StepCompleted>(event) != nullptr || As<model::StepCancelled>(event) != nullptr;
}

std::optional<Notice> NoticeOf(InstanceId instance, const model::Event& event, TimeUs time,
                               const std::string& definition, const std::string& step) {
  if (const auto* started = As<model::InstanceStarted>(event))
    return Begun{{.instance = instance.value,
                  .definition = definition,
                  .status = "running",
                  .input = std::string(started->input.text()),
                  .time_us = time.value}};
  if (const auto* forked = As<model::InstanceForked>(event))
    return Begun{{.instance = instance.value,
                  .definition = definition,
                  .status = "running",
                  .input = std::string(forked->state->input.text()),
                  .time_us = time.value}};
  if (std::optional<InstanceNotice> end = EndNoticeOf(event)) {
    end->instance = instance.value;
    end->definition = definition;
    end->time_us = time.value;
    return Ended{*std::move(end)};
  }
  if (std::optional<StepNotice> notice = StepNoticeOf(event)) {
    notice->instance = instance.value;
    notice->definition = definition;
    notice->step = step;
    notice->time_us = time.value;
    return Stepped{*std::move(notice)};
  }
  return std::nullopt;
}

}  // namespace stele::embed
