#include "engine/tasks/sql_postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/sql_postgres_values.h"

namespace stele::tasks {
namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr size_t kMaxNoticeBytes = 16u << 10;

struct CancelWork {
  uv_work_t work;
  PGcancel* cancel = nullptr;
};

std::string_view Field(const PGresult* answer, int field) {
  const char* text = PQresultErrorField(answer, field);
  return text == nullptr ? "" : text;
}

// How many rows a statement changed; reading some changes none.
int64_t RowsAffected(const PGresult* answer) {
  auto* writable = const_cast<PGresult*>(answer);  // libpq's signature; it is not written to
  std::string_view tag = PQcmdStatus(writable);
  for (std::string_view word : {"INSERT", "UPDATE", "DELETE", "MERGE"}) {
    if (tag.starts_with(word)) return std::strtoll(PQcmdTuples(writable), nullptr, 10);
  }
  return 0;
}

}  // namespace

PostgresConnection::~PostgresConnection() {
  lookup_.reset();
  poll_.reset();  // before the socket is closed
  if (connection_ != nullptr) PQfinish(connection_);
}

void PostgresConnection::Connect(const PostgresSettings& settings, Done done) {
  CHECK(connection_ == nullptr && !done_, "a connection is made once");
  done_ = std::move(done);
  shown_ = ShownDatabase(settings);
  PostgresSettings complete = CompleteSettings(settings);
  if (!PostgresLookup::IsNeeded(complete)) return StartConnect(complete);
  lookup_ = std::make_unique<PostgresLookup>(
      loop_, std::move(complete),
      [this](const PostgresSettings& found, const std::string& unknown) {
        if (unknown.empty()) return StartConnect(found);
        Finish(PostgresFailure("", fmt::format("Expected the address of {}", unknown), {}));
      });
}

void PostgresConnection::StartConnect(const PostgresSettings& settings) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keywords.data(), values.data(), 0);
  CHECK(connection_ != nullptr, "no memory for a connection");
  // The verbose text alone tells the SQLSTATE of a refused connection.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection_,
      [](void* self, const char* text) {
        std::string* notices = static_cast<PostgresConnection*>(self)->notices_;
        if (notices != nullptr && notices->size() < kMaxNoticeBytes) {
          *notices += OneLine(text) + "\n";
        }
      },
      this);
  if (PQstatus(connection_) == CONNECTION_BAD) {
    return FinishLater(PostgresFailure("",
                                       fmt::format("Expected to connect to {} but found: {}",
                                                   shown_, OneLine(PQerrorMessage(connection_))),
                                       {}));
  }
  Poll(UV_WRITABLE);
}

void PostgresConnection::Poll(int events) {
  if (poll_ == nullptr) {
    auto* poll = new uv_poll_t;
    int made = uv_poll_init(loop_, poll, PQsocket(connection_));
    CHECK(made == 0, "no poll on a socket: {}", uv_strerror(made));
    poll->data = this;
    poll_.reset(poll);
  }
  uv_poll_start(poll_.get(), events, [](uv_poll_t* poll, int, int ready) {
    // An error of the socket is libpq's to find.
    auto* self = static_cast<PostgresConnection*>(poll->data);
    if (self->connected_) {
      self->OnQueryReady(ready);
    } else {
      self->OnConnectReady();
    }
  });
}

void PostgresConnection::OnConnectReady() {
  poll_.reset();  // libpq may go on with another socket
  switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
      return Poll(UV_READABLE);
    case PGRES_POLLING_WRITING:
      return Poll(UV_WRITABLE);
    case PGRES_POLLING_OK:
      PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
      PQsetnonblocking(connection_, 1);
      connected_ = true;
      return Finish(std::nullopt);
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE: {
      std::string_view message = PQerrorMessage(connection_);
      std::string sqlstate = SqlstateIn(message);
      return Finish(PostgresFailure(
          sqlstate,
          fmt::format("Expected to connect to {} but found: {}", shown_, OneLine(message)), {}));
    }
  }
}

void PostgresConnection::Execute(const SqlStatement& statement, SqlResult* result,
                                 std::string* notices, Done done) {
  CHECK(connected_ && !done_, "a statement on a connection that is not free");
  done_ = std::move(done);
  result_ = result;
  notices_ = notices;
  failure_.reset();
  size_t count = statement.parameters.size();
  std::vector<Oid> types(count, 0);  // 0: the server finds out
  std::vector<int> lengths(count, 0);
  std::vector<int> formats(count, 0);
  std::vector<std::string> texts(count);
  std::vector<const char*> values(count, nullptr);
  for (size_t i = 0; i < count; ++i) {
    const SqlParameter& parameter = statement.parameters[i];
    if (parameter.value.is_null()) continue;
    texts[i] = parameter.value.is_string() ? parameter.value.as_string() : ToJson(parameter.value);
    values[i] = texts[i].c_str();
    if (!parameter.is_bytes) continue;
    types[i] = kPostgresBytea;
    formats[i] = 1;
    lengths[i] = static_cast<int>(texts[i].size());
  }
  if (PQsendQueryParams(connection_, statement.text.c_str(), static_cast<int>(count), types.data(),
                        values.data(), lengths.data(), formats.data(), 0) == 0) {
    return FinishLater(LostFailure(PQerrorMessage(connection_)));
  }
  PQsetSingleRowMode(connection_);
  Flush();
}

void PostgresConnection::Flush() {
  int left = PQflush(connection_);
  // What could not be written is told by the next read.
  Poll(left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

void PostgresConnection::OnQueryReady(int events) {
  // Also when nothing but an error is told: reading finds it.
  bool lost = (events & UV_WRITABLE) == 0 || (events & UV_READABLE) != 0
                  ? PQconsumeInput(connection_) == 0
                  : false;
  if (!lost) Flush();
  ReadResults(lost);
}

// What has arrived so far. Of a lost connection all that is left: libpq then waits for nothing.
void PostgresConnection::ReadResults(bool lost) {
  while (lost || PQisBusy(connection_) == 0) {
    Answer answer(PQgetResult(connection_), &PQclear);
    if (answer == nullptr) {
      if (lost && !failure_) failure_ = LostFailure(PQerrorMessage(connection_));
      return Finish(std::move(failure_));
    }
    ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      cancelled_ = true;  // of no use any more: libpq waits for the stream
      return Finish(TaskFailure{
          "config", "Expected a statement but found COPY: a step has no stream for it", false, {}});
    }
    TakeResult(answer.get());
  }
}

void PostgresConnection::TakeResult(const PGresult* answer) {
  switch (PQresultStatus(answer)) {
    case PGRES_SINGLE_TUPLE:
      return TakeRow(answer);
    case PGRES_TUPLES_OK:
      TakeRow(answer);  // no rows are left, but their names count
      [[fallthrough]];
    case PGRES_COMMAND_OK:
      if (result_ != nullptr) result_->EndStatement(RowsAffected(answer), std::nullopt);
      return;
    case PGRES_EMPTY_QUERY:
      if (!failure_) {
        failure_ = TaskFailure{"config", "Expected a statement but found none", false, {}};
      }
      return;
    case PGRES_BAD_RESPONSE:
    case PGRES_FATAL_ERROR:
    case PGRES_NONFATAL_ERROR:
      if (!failure_) failure_ = ResultFailure(answer);
      return;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
      CHECK(false, "an answer of kind {}", static_cast<int>(PQresultStatus(answer)));
  }
}

void PostgresConnection::TakeRow(const PGresult* answer) {
  if (result_ == nullptr) return;
  int count = PQnfields(answer);
  bool fits = true;
  if (!result_->has_columns()) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.emplace_back(PQfname(answer, i));
    fits = result_->SetColumns(std::move(names));
  }
  for (int row = 0; fits && row < PQntuples(answer); ++row) {
    Array values;
    for (int i = 0; i < count; ++i) {
      if (PQgetisnull(answer, row, i) != 0) {
        values.emplace_back(nullptr);
        continue;
      }
      std::string_view text(PQgetvalue(answer, row, i),
                            static_cast<size_t>(PQgetlength(answer, row, i)));
      values.push_back(PostgresValue(PQftype(answer, i), text));
    }
    fits = result_->AddRow(std::move(values));
  }
  if (fits) return;
  // The rest is not kept, and the server need not send it.
  failure_ = result_->LimitFailure();
  result_ = nullptr;
  RequestCancel();
}

TaskFailure PostgresConnection::ResultFailure(const PGresult* answer) const {
  std::string_view sqlstate = Field(answer, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return LostFailure(PQresultErrorMessage(answer));
  Object details;
  constexpr std::pair<int, std::string_view> kFields[] = {
      {PG_DIAG_MESSAGE_DETAIL, "detail"},      {PG_DIAG_MESSAGE_HINT, "hint"},
      {PG_DIAG_CONSTRAINT_NAME, "constraint"}, {PG_DIAG_SCHEMA_NAME, "schema"},
      {PG_DIAG_TABLE_NAME, "table"},           {PG_DIAG_COLUMN_NAME, "column"},
      {PG_DIAG_STATEMENT_POSITION, "position"}};
  for (const auto& [field, name] : kFields) {
    std::string_view text = Field(answer, field);
    if (!text.empty()) details.Set(name, text);
  }
  std::string_view message = Field(answer, PG_DIAG_MESSAGE_PRIMARY);
  return PostgresFailure(
      sqlstate,
      fmt::format("Expected {} to run the statement but found: {} ({})", shown_, message, sqlstate),
      std::move(details));
}

TaskFailure PostgresConnection::LostFailure(std::string_view why) const {
  return PostgresFailure(
      "",
      fmt::format("Expected an answer of {} but lost the connection, so it is not known what took "
                  "effect: {}",
                  shown_, OneLine(why)),
      {});
}

void PostgresConnection::RequestCancel() {
  CHECK(connected_, "nothing to cancel");
  cancelled_ = true;
  PGcancel* cancel = PQgetCancel(connection_);
  if (cancel == nullptr) return;  // the connection is lost
  auto* request = new CancelWork{{}, cancel};
  request->work.data = request;
  int queued = uv_queue_work(
      loop_, &request->work,
      [](uv_work_t* work) {
        char error[256];  // a cancel that does not arrive is noticed by what goes on
        PQcancel(static_cast<CancelWork*>(work->data)->cancel, error, sizeof error);
      },
      [](uv_work_t* work, int) {
        std::unique_ptr<CancelWork> ended(static_cast<CancelWork*>(work->data));
        PQfreeCancel(ended->cancel);
      });
  CHECK(queued == 0, "no work on the pool: {}", uv_strerror(queued));
}

bool PostgresConnection::IsIdle() const {
  if (!connected_ || cancelled_ || done_ || PQstatus(connection_) != CONNECTION_OK ||
      PQtransactionStatus(connection_) != PQTRANS_IDLE) {
    return false;
  }
  // An idle server that says something says good-bye.
  pollfd socket{PQsocket(connection_), POLLIN, 0};
  return poll(&socket, 1, 0) == 0;
}

bool PostgresConnection::InTransaction() const {
  if (!connected_ || done_ || PQstatus(connection_) != CONNECTION_OK) return false;
  PGTransactionStatusType status = PQtransactionStatus(connection_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void PostgresConnection::Finish(std::optional<TaskFailure> failure) {
  if (poll_ != nullptr) uv_poll_stop(poll_.get());
  result_ = nullptr;
  notices_ = nullptr;
  failure_.reset();
  std::exchange(done_, nullptr)(std::move(failure));  // may destroy this
}

void PostgresConnection::FinishLater(std::optional<TaskFailure> failure) {
  failure_ = std::move(failure);
  later_ = MakeTimer(loop_, this);
  uv_timer_start(
      later_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<PostgresConnection*>(timer->data);
        self->Finish(std::exchange(self->failure_, std::nullopt));
      },
      0, 0);
}

}  // namespace stele::tasks
