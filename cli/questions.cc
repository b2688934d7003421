#include "cli/questions.h"

#include <utility>

#include "cli/open_data.h"
#include "cli/remote/server_option.h"
#include "cli/views.h"
#include "projections/views/workers.h"

namespace stele::cli {

namespace {

using projections::InstanceRow;
using projections::Page;
using projections::SearchRequest;
using projections::TaskRow;

class OfDirectory final : public Questions {
 public:
  explicit OfDirectory(AskedView asked)
      : Questions(asked.then != nullptr),
        asked_(std::move(asked)),
        source_(SourceOf(*asked_.views.store)) {
    position_ = asked_.reader->position();
    now_ = asked_.now;
  }

  Result<Value> Statistics(const projections::StatisticsScope& scope) override {
    return Document(projections::ReadStatistics(*asked_.reader, scope));
  }
  Result<Value> Series(const projections::StatisticsScope& scope,
                       projections::Resolution resolution) override {
    return Document(projections::ReadSeries(*asked_.reader, scope, resolution));
  }
  Result<Value> Definitions(const std::string& after, size_t limit) override {
    return Document(projections::ListDefinitions(*asked_.reader, after, limit));
  }
  Result<Value> Errors(const projections::ErrorFilter& filter, size_t limit,
                       const std::string& cursor) override {
    auto page = projections::ListErrors(*asked_.reader, filter, limit, cursor, asked_.course);
    if (page.has_value())
      STELE_RETURN_IF_ERROR(projections::ReadMessages(*asked_.views.store, kShard, *page));
    return Document(page);
  }
  Result<Value> Workers() override { return Document(projections::ListWorkers(*asked_.reader)); }

  const Source& source() const override { return *source_; }
  const std::string& course() const override { return asked_.course; }

 private:
  template <class Answer>
  static Result<Value> Document(const Result<Answer>& answer) {
    if (!answer.has_value()) return std::unexpected(answer.error());
    return Value(projections::ToJson(*answer));
  }
  template <class Row>
  Result<Page<Row>> FindRows(SearchRequest request) {
    request.now = asked_.now;
    request.course = asked_.course;
    return projections::Find<Row>(*asked_.reader, request);
  }
  Result<Page<InstanceRow>> FindInstances(SearchRequest request) override {
    return FindRows<InstanceRow>(std::move(request));
  }
  Result<Page<TaskRow>> FindTasks(SearchRequest request) override {
    return FindRows<TaskRow>(std::move(request));
  }

  const AskedView asked_;
  const std::unique_ptr<Source> source_;
};

}  // namespace

Result<std::unique_ptr<Questions>> AskViews(const Arguments& arguments, const Terminal& terminal,
                                            std::string_view view) {
  if (IsForServer(arguments)) return AskServer(arguments);
  auto asked = AskView(arguments, terminal, view);
  if (!asked.has_value()) return std::unexpected(asked.error());
  return std::make_unique<OfDirectory>(*std::move(asked));
}

}  // namespace stele::cli
