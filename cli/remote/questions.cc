// The views of a server: questions.h.
#include "cli/questions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.h"
#include "cli/remote/remote.h"
#include "cli/searching.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using projections::InstanceRow;
using projections::Page;
using projections::SearchRequest;
using projections::TaskRow;

// How long the views may take to know all that is durable.
constexpr int64_t kFreshnessPatienceUs = 60'000'000;

std::string StringOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

std::vector<std::string> StringsOf(capnp::List<capnp::Text>::Reader texts) {
  std::vector<std::string> strings;
  for (const auto text : texts) strings.push_back(StringOf(text));
  return strings;
}

InstanceRow RowOf(api::InstanceRow::Reader row) {
  InstanceRow read{.id = InstanceId(row.getId()),
                   .definition = StringOf(row.getDefinition()),
                   .version = row.getVersion(),
                   .status = StringOf(row.getStatus()),
                   .business_key = StringOf(row.getBusinessKey()),
                   .tags = StringsOf(row.getTags()),
                   .priority = row.getPriority(),
                   .parent = InstanceId(row.getParent()),
                   .started = TimeUs(row.getStarted()),
                   .ended = TimeUs(row.getEnded()),
                   .deadline = TimeUs(row.getDeadline()),
                   .updated = TimeUs(row.getUpdated()),
                   .steps_total = row.getStepsTotal(),
                   .steps_completed = static_cast<uint32_t>(row.getStepsCompleted()),
                   .steps_decided = row.getStepsDecided(),
                   .undone = row.getUndone(),
                   .steps_open = row.getStepsOpen(),
                   .steps = {},
                   .waits_open = row.getWaitsOpen(),
                   .waits = {},
                   .error_kind = StringOf(row.getErrorKind()),
                   .error_message = StringOf(row.getErrorMessage()),
                   .parked_kind = StringOf(row.getParkedKind()),
                   .actor = StringOf(row.getActor()),
                   .trigger = TriggerId(row.getTrigger()),
                   .variables = {}};
  for (const auto step : row.getSteps())
    read.steps.push_back({.run = RunId(step.getRun()),
                          .id = StringOf(step.getId()),
                          .label = StringOf(step.getLabel()),
                          .state = StringOf(step.getState()),
                          .since = TimeUs(step.getSince()),
                          .attempt = step.getAttempt()});
  for (const auto wait : row.getWaits())
    read.waits.push_back({.what = StringOf(wait.getWhat()),
                          .step = StringOf(wait.getStep()),
                          .subject = StringOf(wait.getSubject()),
                          .since = TimeUs(wait.getSince()),
                          .due = TimeUs(wait.getDue())});
  for (const auto variable : row.getVariables())
    read.variables.push_back({.name = StringOf(variable.getName()),
                              .value = StringOf(variable.getValue()),
                              .is_input = variable.getIsInput(),
                              .is_json = variable.getIsJson()});
  return read;
}

TaskRow RowOf(api::TaskRow::Reader row) {
  TaskRow read{.instance = InstanceId(row.getInstance()),
               .run = RunId(row.getRun()),
               .definition = StringOf(row.getDefinition()),
               .version = row.getVersion(),
               .step = StringOf(row.getStep()),
               .label = StringOf(row.getLabel()),
               .type = StringOf(row.getType()),
               .title = StringOf(row.getTitle()),
               .state = StringOf(row.getState()),
               .assignees = StringsOf(row.getAssignees()),
               .groups = StringsOf(row.getGroups()),
               .claimed_by = StringOf(row.getClaimedBy()),
               .votes = {},
               .min_approvers = row.getMinApprovers(),
               .created = TimeUs(row.getCreated()),
               .due = TimeUs(row.getDue()),
               .completed = TimeUs(row.getCompleted()),
               .business_key = StringOf(row.getBusinessKey()),
               .priority = row.getPriority()};
  for (const auto vote : row.getVotes())
    read.votes.push_back({.person = StringOf(vote.getPerson()),
                          .approved = vote.getApproved(),
                          .comment = StringOf(vote.getComment()),
                          .time = TimeUs(vote.getTime())});
  return read;
}

// Behind what was written, whose columns faults name, what options have added.
std::string QueryText(const std::string& written, const projections::Query& query) {
  std::string text = written;
  for (const projections::Condition& condition : query.conditions)
    if (condition.column == 0) text += (text.empty() ? "" : " ") + projections::ToText(condition);
  return text;
}

class OfServer final : public Questions {
 public:
  OfServer(std::unique_ptr<Remote> server, const Arguments& arguments,
           const std::optional<GivenPoint>& then)
      : Questions(then.has_value()),
        server_(std::move(server)),
        source_(SourceOf(*server_)),
        course_(fmt::format("at {}", server_->server())),
        written_(fmt::format("{}", fmt::join(arguments.operands(), " "))),
        then_(then) {
    if (arguments.Has("--as-of")) course_ += ", as of " + arguments.Get("--as-of");
  }

  Result<Value> Statistics(const projections::StatisticsScope& scope) override {
    auto request = Views().statisticsRequest();
    Write(scope, request.initScope());
    Write(request.initFreshness());
    return Document(Answer(request.send()), [](auto& answer) { return answer.getStatistics(); });
  }
  Result<Value> Series(const projections::StatisticsScope& scope,
                       projections::Resolution resolution) override {
    auto request = Views().seriesRequest();
    Write(scope, request.initScope());
    request.setResolution(
        server::rpc::TextOf(std::string(projections::ResolutionName(resolution))));
    Write(request.initFreshness());
    return Document(Answer(request.send()), [](auto& answer) { return answer.getSeries(); });
  }
  Result<Value> Definitions(const std::string& after, size_t limit) override {
    auto request = Views().definitionsRequest();
    request.setAfter(server::rpc::TextOf(after));
    request.setLimit(static_cast<uint32_t>(limit));
    Write(request.initFreshness());
    return Document(Answer(request.send()), [](auto& answer) { return answer.getPage(); });
  }
  Result<Value> Errors(const projections::ErrorFilter& filter, size_t limit,
                       const std::string& cursor) override {
    auto request = Views().errorsRequest();
    auto wanted = request.initFilter();
    wanted.setDefinition(server::rpc::TextOf(filter.definition));
    wanted.setStep(server::rpc::TextOf(filter.step));
    wanted.setKind(server::rpc::TextOf(filter.kind));
    wanted.setSince(filter.since.value);
    wanted.setSinceText(server::rpc::TextOf(filter.since_text));
    request.setLimit(static_cast<uint32_t>(limit));
    request.setCursor(server::rpc::TextOf(cursor));
    Write(request.initFreshness());
    return Document(Answer(request.send()), [](auto& answer) { return answer.getPage(); });
  }
  Result<Value> Workers() override {
    auto request = Views().workersRequest();
    Write(request.initFreshness());
    return Document(Answer(request.send()), [](auto& answer) { return answer.getWorkers(); });
  }

  const Source& source() const override { return *source_; }
  const std::string& course() const override { return course_; }

 private:
  api::Views::Client Views() { return server_->session().viewsRequest().send().getViews(); }

  template <class Results>
  Result<capnp::Response<Results>> Answer(capnp::RemotePromise<Results> promise) {
    return server_->Wait(kj::Promise<capnp::Response<Results>>(kj::mv(promise)));
  }
  template <class Response>
  Result<Value> Document(Result<Response> answer, auto text_of) {
    if (!answer.has_value()) return std::unexpected(answer.error());
    const capnp::Text::Reader text = text_of(*answer);
    return ParseJson({text.begin(), text.size()}, nullptr, kWrittenJson);
  }

  void Write(api::Freshness::Builder freshness) const {
    if (!then_.has_value()) {
      freshness.setPatience(kFreshnessPatienceUs);
    } else if (then_->is_position && then_->position) {
      freshness.setAsOf(then_->position.value);
    } else {
      // Before the first record, where 0 would be now.
      freshness.setAsOfTime(std::max<int64_t>(then_->time.value, 1));
    }
  }
  static void Write(const projections::StatisticsScope& scope, api::StatisticsScope::Builder to) {
    to.setDefinition(server::rpc::TextOf(scope.definition));
    to.setVersion(scope.version);
    to.setFrom(scope.from.value);
    to.setTo(scope.to.value);
  }
  void Write(const SearchRequest& request, api::Search::Builder to) const {
    to.setQuery(server::rpc::TextOf(QueryText(written_, request.query)));
    to.setSort(server::rpc::TextOf(request.sort));
    to.setCursor(server::rpc::TextOf(request.cursor));
    to.setLimit(static_cast<uint32_t>(request.limit));
    Write(to.initFreshness());
  }

  template <class Row>
  Page<Row> Taken(auto page) {
    Page<Row> taken;
    for (const auto row : page.getRows()) taken.rows.push_back(RowOf(row));
    taken.next = StringOf(page.getNext());
    taken.position = position_ = Position(page.getPosition());
    now_ = TimeUs(page.getNow());
    return taken;
  }
  Result<Page<InstanceRow>> FindInstances(SearchRequest request) override {
    auto asking = Views().instancesRequest();
    Write(request, asking.initSearch());
    const auto answer = Answer(asking.send());
    if (!answer.has_value()) return std::unexpected(answer.error());
    return Taken<InstanceRow>(answer->getPage());
  }
  Result<Page<TaskRow>> FindTasks(SearchRequest request) override {
    auto asking = server_->session().tasksRequest().send().getTasks().findRequest();
    Write(request, asking.initSearch());
    const auto answer = Answer(asking.send());
    if (!answer.has_value()) return std::unexpected(answer.error());
    return Taken<TaskRow>(answer->getPage());
  }

  const std::unique_ptr<Remote> server_;
  const std::unique_ptr<Source> source_;
  std::string course_;
  const std::string written_;  // the query
  const std::optional<GivenPoint> then_;
};

}  // namespace

Result<std::unique_ptr<Questions>> AskServer(const Arguments& arguments) {
  std::optional<GivenPoint> then;
  if (arguments.Has("--as-of")) {
    const auto given = GivenPointOf(arguments, "--as-of");
    if (!given.has_value()) return std::unexpected(given.error());
    then = *given;
  }
  auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  return std::make_unique<OfServer>(*std::move(server), arguments, then);
}

Result<std::vector<projections::ViewState>> ReadServerStates(const Arguments& arguments) {
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  const auto answer = (*server)->Wait(kj::Promise<capnp::Response<api::Views::StatesResults>>(
      (*server)->session().viewsRequest().send().getViews().statesRequest().send()));
  if (!answer.has_value()) return std::unexpected(answer.error());
  std::vector<projections::ViewState> states;
  for (const auto view : answer->getViews())
    states.push_back({.name = StringOf(view.getName()),
                      .version = view.getVersion(),
                      .serves = view.getServes(),
                      .position = Position(view.getPosition()),
                      .lag = view.getLag(),
                      .building = view.getBuilding(),
                      .built = Position(view.getBuilt())});
  return states;
}

}  // namespace stele::cli
