// `stele login | logout`: a token of a server, for the commands that are given to it.
#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/remote/credentials.h"
#include "cli/remote/hidden_input.h"
#include "cli/remote/remote.h"
#include "cli/text.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

constexpr size_t kMaxPasswordBytes = 4096;

// A token, and whose it is.
struct Known {
  std::string token;
  TimeUs expires;
  std::string name;
  std::string role;
  bool must_change_password = false;
};

// What is typed, or on standard input a line for each.
struct Passwords {
  std::string now;
  std::string next;  // empty: it is asked for when it is needed
};
Result<Passwords> AskForPassword(const std::string& name, const std::string& server) {
  auto given = AskUnseen(fmt::format("password of {} at {}", Clean(name), Clean(server)),
                         2 * kMaxPasswordBytes);
  if (!given.has_value()) return std::unexpected(given.error());
  const size_t end = given->find('\n');
  const bool is_one = end == std::string::npos;
  Passwords passwords{given->substr(0, end), is_one ? "" : given->substr(end + 1)};
  if (!passwords.now.empty()) return passwords;
  // It would be counted as a wrong one, and the next one had to wait.
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected the password of {}{} but found an empty one", name,
                          isatty(STDIN_FILENO) == 1 ? "" : " on the first line of standard input"));
}

Result<Known> LogIn(Remote& server, const std::string& name, const std::string& password) {
  auto request = server.gate().loginRequest();
  request.setName(server::rpc::TextOf(name));
  request.setPassword(server::rpc::TextOf(password));
  auto answer = server.Wait(kj::Promise<capnp::Response<api::Gate::LoginResults>>(request.send()));
  if (!answer.has_value()) return std::unexpected(answer.error());
  server.Admit(answer->getSession());
  auto asked = server.Wait(kj::Promise<capnp::Response<api::Session::WhoAmIResults>>(
      server.session().whoAmIRequest().send()));
  if (!asked.has_value()) return std::unexpected(asked.error());
  const auto caller = asked->getCaller();
  return Known{.token = answer->getToken().cStr(),
               .expires = TimeUs(answer->getExpires()),
               .name = caller.getName().cStr(),
               .role = caller.getRole().cStr(),
               .must_change_password = caller.getMustChangePassword()};
}

// A first password may do nothing but make way for another one.
Status ChangePassword(Remote& server, const Passwords& passwords, Known& known) {
  std::string next = passwords.next;
  if (next.empty() && isatty(STDIN_FILENO) == 1) {
    auto typed = AskUnseen("another password, in place of this first one", kMaxPasswordBytes);
    if (!typed.has_value()) return std::unexpected(typed.error());
    const auto again = AskUnseen("the same again", kMaxPasswordBytes);
    if (!again.has_value()) return std::unexpected(again.error());
    if (*typed != *again)
      return Fail(ErrorCode::kUsage, "Expected the same password twice but found two");
    next = *std::move(typed);
  }
  if (next.empty())
    return Fail(ErrorCode::kForbidden,
                "Expected a password of one's own but found a first one, which must be changed: "
                "give another one on a second line of standard input");
  auto request = server.session().changePasswordRequest();
  request.setBefore(server::rpc::TextOf(passwords.now));
  request.setNow(server::rpc::TextOf(next));
  auto answer = server.Wait(
      kj::Promise<capnp::Response<api::Session::ChangePasswordResults>>(request.send()));
  if (!answer.has_value()) return std::unexpected(answer.error());
  known.token = answer->getToken().cStr();
  known.expires = TimeUs(answer->getExpires());
  return {};
}

Result<Known> Enter(const Arguments& arguments, Remote& server) {
  const std::string name = arguments.Get("--user");
  if (name.empty()) return Fail(ErrorCode::kUsage, "Expected --user NAME but found none");
  const auto passwords = AskForPassword(name, server.server());
  if (!passwords.has_value()) return std::unexpected(passwords.error());
  auto known = LogIn(server, name, passwords->now);
  if (known.has_value() && known->must_change_password)
    STELE_RETURN_IF_ERROR(ChangePassword(server, *passwords, *known));
  return known;
}

int Login(const Arguments& arguments, const Terminal& terminal) {
  const auto server = Remote::ConnectToLogIn(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const auto known = Enter(arguments, **server);
  if (!known.has_value()) return Refuse(terminal, known.error());
  const auto file = KeepToken(arguments, (*server)->server(), known->token);
  if (!file.has_value()) return Refuse(terminal, file.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(Object{{"server", (*server)->server()},
                                                 {"name", known->name},
                                                 {"role", known->role},
                                                 {"expires", known->expires.value},
                                                 {"token_file", *file}})) +
                   "\n");
  } else {
    terminal.Print(fmt::format("{}, {}, at {} until {}; the token is in {}\n", Clean(known->name),
                               Clean(known->role), Clean((*server)->server()), Time(known->expires),
                               Clean(*file)));
  }
  return kExitDone;
}

Status EndToken(Remote& server, const std::string& token) {
  STELE_RETURN_IF_ERROR(server.Enter(token));
  const auto done = server.Wait(kj::Promise<capnp::Response<api::Session::LogoutResults>>(
      server.session().logoutRequest().send()));
  return done.has_value() ? Status() : std::unexpected(done.error());
}

// What a server says of a token, and not of itself.
bool IsOfToken(ErrorCode code) {
  return code == ErrorCode::kUnauthenticated || code == ErrorCode::kBadToken ||
         code == ErrorCode::kForbidden || code == ErrorCode::kUnsupported;
}

int Logout(const Arguments& arguments, const Terminal& terminal) {
  const auto server = Remote::ConnectToLogIn(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const std::string& name = (*server)->server();
  const auto token = FindToken(arguments, name);
  if (!token.has_value()) return Refuse(terminal, token.error());
  if (token->text.empty())
    return Refuse(terminal, {ErrorCode::kUnauthenticated,
                             fmt::format("Expected a token of {} to end but found none", name)});
  const Status ended = EndToken(**server, token->text);
  if (!ended.has_value() && !IsOfToken(ended.error().code)) return Refuse(terminal, ended.error());
  const auto gone = ForgetToken(arguments, name, token->text);
  if (!gone.has_value()) return Refuse(terminal, gone.error());
  if (ended.has_value()) {
    terminal.Print(fmt::format("the token of {} counts no more\n", Clean(name)));
    return kExitDone;
  }
  if (!*gone) return Refuse(terminal, (*server)->Explained(ended.error()));
  terminal.PrintNote(Clean(ended.error().message));
  terminal.Print(
      fmt::format("the token of {} is in {} no more\n", Clean(name), Clean(token->place)));
  return kExitDone;
}

constexpr OptionSpec kLoginOptions[] = {{"--user", "NAME", "who you are there"}, kJson};

constexpr Command kCommands[] = {
    {{"login", "", 0, 0, "Gets a token of a server, for the commands that are given to it.",
      "Asks for the password; without a terminal it is the first line of standard input, and the\n"
      "second one the password that takes the place of a first one. The token is kept in the file\n"
      "of --token-file, of STELE_TOKEN_FILE, or in ~/.config/stele/token (docs/client.md).\n\n"
      "  stele login --server stele.example.org:7421 --user ada\n",
      kLoginOptions, kAtServer},
     Login},
    {{"logout",
      "",
      0,
      0,
      "Ends the token of a server, for everybody who has it.",
      "  stele logout --server stele.example.org:7421\n",
      {},
      kAtServer},
     Logout},
};

}  // namespace

std::span<const Command> ServerCommands() {
  return kCommands;
}

}  // namespace stele::cli
