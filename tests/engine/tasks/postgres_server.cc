#include "postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

namespace stele::tasks {
namespace {

// The newest /usr/lib/postgresql/*/bin that has a server; empty when there is none.
std::string FindPrograms() {
  std::string best;
  int best_version = -1;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    std::string programs = entry.path().string() + "/bin";
    int version = std::atoi(entry.path().filename().c_str());
    bool whole = access((programs + "/initdb").c_str(), X_OK) == 0 &&
                 access((programs + "/postgres").c_str(), X_OK) == 0;
    if (!whole || version <= best_version) continue;
    best = programs;
    best_version = version;
  }
  return best;
}

// PostgreSQL refuses to be run by root.
const passwd* OtherUser() {
  if (getuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

// A child that ends with this process, with both of its output streams in `output`.
pid_t Spawn(const std::vector<std::string>& command, const std::string& directory, int output) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const passwd* user = OtherUser();
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) return child;
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // PostgreSQL: stop at once
  if (getppid() != parent) _exit(126);
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(output, 1);
  dup2(output, 2);
  if (chdir(directory.c_str()) != 0) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

int FreePort() {
  int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(probe);
  return port;
}

// Reads until `text` was printed; false when the stream ends before.
bool ReadUntil(int stream, const std::string& text, std::string& printed) {
  size_t before = printed.size();
  char buffer[4096];
  while (printed.find(text, before) == std::string::npos) {
    ssize_t count = read(stream, buffer, sizeof buffer);
    if (count <= 0) return false;
    printed.append(buffer, static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

std::unique_ptr<PostgresServer> PostgresServer::Start(std::string& why_not) {
  std::string programs = FindPrograms();
  if (programs.empty()) {
    why_not = "no PostgreSQL server in /usr/lib/postgresql/*/bin";
    return nullptr;
  }
  std::unique_ptr<PostgresServer> server(new PostgresServer);
  server->program_ = programs + "/postgres";
  if (!server->MakeCluster(programs, why_not)) return nullptr;
  // A port that was free may be taken by the time that the server asks for it.
  for (int i = 0; i < 5; ++i) {
    server->port_ = FreePort();
    if (server->Launch(why_not)) return server;
  }
  return nullptr;
}

bool PostgresServer::MakeCluster(const std::string& programs, std::string& why_not) {
  std::string path = (std::filesystem::temp_directory_path() / "pg-test-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    why_not = "no temporary directory";
    return false;
  }
  directory_ = path;
  std::ofstream(directory_ + "/password") << kPassword << "\n";
  const passwd* user = OtherUser();
  if (user != nullptr &&
      (chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0 ||
       chown((directory_ + "/password").c_str(), user->pw_uid, user->pw_gid) != 0)) {
    why_not = "cannot give the temporary directory to another user";
    return false;
  }
  int streams[2];
  if (pipe2(streams, O_CLOEXEC) != 0) return false;
  pid_t child = Spawn({programs + "/initdb", "-D", directory_ + "/data", "-U", "stele", "-E",
                       "UTF8", "--locale=C", "-N", "--auth-local=trust",
                       "--auth-host=scram-sha-256", "--pwfile=" + directory_ + "/password"},
                      directory_, streams[1]);
  close(streams[1]);
  std::string printed;
  ReadUntil(streams[0], "no such line", printed);
  close(streams[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0) return true;
  why_not = "initdb failed: " + printed;
  return false;
}

bool PostgresServer::Launch(std::string& why_not) {
  int streams[2];
  if (pipe2(streams, O_CLOEXEC) != 0) return false;
  // Little is logged, so that nobody has to read on.
  pid_ =
      Spawn({program_, "-D", directory_ + "/data", "-k", directory_, "-p", fmt::format("{}", port_),
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "log_min_messages=log",
             "-c", "max_connections=30", "-c", "shared_buffers=16MB"},
            directory_, streams[1]);
  close(streams[1]);
  if (log_ >= 0) close(log_);
  log_ = streams[0];
  if (ReadUntil(log_, "ready to accept connections", printed_)) return true;
  why_not = "the server does not start: " + printed_;
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  return false;
}

void PostgresServer::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGQUIT);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool PostgresServer::Restart() {
  std::string why_not;
  return Launch(why_not);
}

PostgresServer::~PostgresServer() {
  Kill();
  if (log_ >= 0) close(log_);
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

std::string PostgresServer::url(const std::string& host) const {
  return fmt::format("postgres://stele:kept%3Asecret%2F4711@{}:{}/postgres", host, port_);
}

std::string PostgresServer::socket_url() const {
  return fmt::format("host={} port={} user=stele dbname=postgres", directory_, port_);
}

}  // namespace stele::tasks
