#include "engine/tasks/sql_postgres_settings.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace stele::tasks {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// The forms that are read, wherever the database's or the user's own settings point.
constexpr std::string_view kForms =
    " -c DateStyle=ISO -c IntervalStyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1"
    " -c standard_conforming_strings=on";

}  // namespace

std::string Setting(const PostgresSettings& settings, const std::string& keyword) {
  auto found = settings.find(keyword);
  return found == settings.end() ? "" : found->second;
}

bool IsPostgresUrl(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

std::optional<PostgresSettings> ParsePostgresSettings(const std::string& text) {
  char* error = nullptr;
  Options options(PQconninfoParse(text.c_str(), &error), &PQconninfoFree);
  PQfreemem(error);
  if (options == nullptr || text.contains('\0')) return std::nullopt;
  PostgresSettings settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings.emplace(option->keyword, option->val);
  }
  return settings;
}

bool IsPostgresKeyword(std::string_view keyword) {
  Options options(PQconndefaults(), &PQconninfoFree);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword) return true;
  }
  return false;
}

PostgresSettings CompleteSettings(PostgresSettings settings) {
  Options defaults(PQconndefaults(), &PQconninfoFree);
  for (const PQconninfoOption* option = defaults.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    std::string_view keyword = option->keyword;
    bool wanted = keyword == "host" || keyword == "hostaddr" || keyword == "port" ||
                  keyword == "options" || keyword == "application_name";
    if (wanted && option->val != nullptr && option->val[0] != '\0') {
      settings.emplace(keyword, option->val);
    }
  }
  settings["client_encoding"] = "UTF8";
  // A ticket of Kerberos is asked for by blocking calls.
  settings.emplace("gssencmode", "disable");
  settings.emplace("application_name", "stele");
  settings.emplace("keepalives_idle", "30");
  settings.emplace("keepalives_interval", "10");
  settings.emplace("keepalives_count", "3");
  settings.emplace("tcp_user_timeout", "30000");  // milliseconds
  // The last one of two counts: a URL may choose the time zone, but not the forms.
  settings["options"] = fmt::format("-c TimeZone=UTC {}{}", Setting(settings, "options"), kForms);
  return settings;
}

std::string ShownDatabase(const PostgresSettings& settings) {
  std::string host = Setting(settings, "host");
  if (host.empty()) host = Setting(settings, "hostaddr");
  std::string port = Setting(settings, "port");
  std::string database = Setting(settings, "dbname");
  return fmt::format("{} at {}{}{}", database.empty() ? "the default database" : database,
                     host.empty() ? "the default host" : host, port.empty() ? "" : ":", port);
}

}  // namespace stele::tasks
