#include "cli/debug/screen.h"

// Functions that need no macros: "move", "clear" and the like would be names of everybody.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <fmt/format.h>
#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <climits>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <cwchar>

#include "cli/text.h"

namespace stele::cli {

namespace {

constexpr int kEscapeDelayMs = 25;
constexpr int kControlC = 3;
constexpr int kControlZ = 26;
constexpr int kEscape = 27;
constexpr int kExitBySignal = 3;

// What a signal's handler needs: made before, since next to nothing may be called there.
struct Restoration {
  termios modes{};
  char bytes[256]{};
  size_t size = 0;
};
Restoration g_restoration;

// Without the pauses that slow terminals need, "$<2>": who writes it at once must leave them out.
void Note(const char* capability) {
  const char* const found = tigetstr(capability);
  if (found == nullptr || found == reinterpret_cast<const char*>(-1)) return;
  std::string text(found);
  for (size_t at = text.find("$<"); at != std::string::npos; at = text.find("$<", at)) {
    const size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    text.erase(at, end + 1 - at);
  }
  if (g_restoration.size + text.size() > sizeof g_restoration.bytes) return;
  std::memcpy(g_restoration.bytes + g_restoration.size, text.data(), text.size());
  g_restoration.size += text.size();
}

extern "C" void GiveBack(int signal) {
  [[maybe_unused]] const ssize_t written =
      write(STDOUT_FILENO, g_restoration.bytes, g_restoration.size);
  tcsetattr(STDIN_FILENO, TCSANOW, &g_restoration.modes);
  if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) _exit(kExitBySignal);
  // The handler is gone already: the fault takes its course.
  raise(signal);
}

constexpr int kEnding[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT,
                           SIGSEGV, SIGBUS, SIGFPE, SIGILL};

void CatchSignals() {
  struct sigaction action{};
  action.sa_handler = GiveBack;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : kEnding) sigaction(signal, &action, nullptr);
}

void LetSignals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (const int signal : kEnding) sigaction(signal, &action, nullptr);
}

enum Pair : short { kGreen = 1, kRed, kYellow };

void StartColours() {
  const char* const no_colour = std::getenv("NO_COLOR");
  if ((no_colour != nullptr && *no_colour != '\0') || !has_colors()) return;
  start_color();
  use_default_colors();
  init_pair(kGreen, COLOR_GREEN, -1);
  init_pair(kRed, COLOR_RED, -1);
  init_pair(kYellow, COLOR_YELLOW, -1);
}

attr_t AttributesOf(Style style) {
  switch (style) {
    case Style::kPlain:
      return A_NORMAL;
    case Style::kDim:
      return A_DIM;
    case Style::kBold:
      return A_BOLD;
    case Style::kGood:
      return static_cast<attr_t>(COLOR_PAIR(kGreen));
    case Style::kBad:
      return A_BOLD | static_cast<attr_t>(COLOR_PAIR(kRed));
    case Style::kWaiting:
      return static_cast<attr_t>(COLOR_PAIR(kYellow));
    case Style::kChanged:
      return A_BOLD | static_cast<attr_t>(COLOR_PAIR(kYellow));
  }
  return A_NORMAL;
}

Key::Code CodeOf(int function_key) {
  switch (function_key) {
    case KEY_ENTER:
      return Key::Code::kEnter;
    case KEY_BACKSPACE:
      return Key::Code::kBackspace;
    case KEY_BTAB:
      return Key::Code::kBackTab;
    case KEY_UP:
      return Key::Code::kUp;
    case KEY_DOWN:
      return Key::Code::kDown;
    case KEY_LEFT:
      return Key::Code::kLeft;
    case KEY_RIGHT:
      return Key::Code::kRight;
    case KEY_PPAGE:
      return Key::Code::kPageUp;
    case KEY_NPAGE:
      return Key::Code::kPageDown;
    case KEY_HOME:
      return Key::Code::kHome;
    case KEY_END:
      return Key::Code::kEnd;
    case KEY_RESIZE:
      return Key::Code::kResized;
    default:
      return Key::Code::kOther;
  }
}

Key KeyOf(wint_t character) {
  switch (character) {
    case '\r':
    case '\n':
      return {Key::Code::kEnter, ""};
    case kEscape:
      return {Key::Code::kEscape, ""};
    case 8:
    case 127:
      return {Key::Code::kBackspace, ""};
    case '\t':
      return {Key::Code::kTab, ""};
    default:
      break;
  }
  char bytes[MB_LEN_MAX];
  std::mbstate_t state{};
  const size_t size = std::wcrtomb(bytes, static_cast<wchar_t>(character), &state);
  if (size == static_cast<size_t>(-1)) return {Key::Code::kOther, ""};
  return {Key::Code::kCharacter, std::string(bytes, size)};
}

// Nobody types any more: a terminal that is not ours to control goes without a signal.
bool IsGone() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) == 1 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace

Result<std::unique_ptr<Screen>> Screen::Open() {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
    return Fail(ErrorCode::kUsage,
                "Expected a terminal but found none: --commands FILE debugs without one");
  std::setlocale(LC_CTYPE, "");
  const bool has_utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  tcgetattr(STDIN_FILENO, &g_restoration.modes);
  const char* const term = std::getenv("TERM");
  if (newterm(nullptr, stdout, stdin) == nullptr || tigetstr("cup") == nullptr) {
    endwin();
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected a terminal that can be drawn on but found TERM={}: "
                            "--commands FILE debugs without one",
                            term == nullptr ? "" : Clean(term)));
  }
  for (const char* const capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) Note(capability);
  CatchSignals();
  raw();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  set_escdelay(kEscapeDelayMs);
  StartColours();
  return std::unique_ptr<Screen>(new Screen(has_utf8));
}

Screen::~Screen() {
  // Where there is no other screen to go back to, what follows is printed on the last row.
  wmove(stdscr, getmaxy(stdscr) - 1, 0);
  wclrtoeol(stdscr);
  wrefresh(stdscr);
  endwin();
  LetSignals();
}

size_t Screen::rows() const {
  return static_cast<size_t>(getmaxy(stdscr));
}

size_t Screen::columns() const {
  return static_cast<size_t>(getmaxx(stdscr));
}

void Screen::Clear() {
  werase(stdscr);
}

void Screen::Put(size_t row, size_t column, size_t columns, const Line& line, bool reversed) {
  if (row >= rows() || column >= this->columns()) return;
  size_t left = std::min(columns, this->columns() - column);
  wmove(stdscr, static_cast<int>(row), static_cast<int>(column));
  Lines one{line};
  if (!has_utf8_) MakeAscii(one);
  const attr_t turned = reversed ? A_REVERSE : A_NORMAL;
  for (const Span& span : one[0].spans) {
    std::string text = Cut(span.text, left);
    // Where no column is left, there is no place for a sign either.
    if (!has_utf8_ && text != span.text && !text.empty())
      text = text.substr(0, text.size() - std::string_view("…").size()) + "~";
    wattrset(stdscr, static_cast<int>(AttributesOf(span.style) | turned));
    waddnstr(stdscr, text.data(), static_cast<int>(text.size()));
    left -= std::min(left, Width(text));
    if (text != span.text) break;
  }
  wattrset(stdscr, static_cast<int>(turned));
  const std::string rest(left, ' ');
  waddnstr(stdscr, rest.data(), static_cast<int>(rest.size()));
  wattrset(stdscr, static_cast<int>(A_NORMAL));
}

void Screen::Show() {
  curs_set(0);
  wrefresh(stdscr);
}

void Screen::Show(size_t row, size_t column) {
  curs_set(1);
  wmove(stdscr, static_cast<int>(row), static_cast<int>(column));
  wrefresh(stdscr);
}

Key Screen::Read(std::optional<int> milliseconds) {
  if (!typed_.empty()) {
    Key key = std::move(typed_.front());
    typed_.pop_front();
    return key;
  }
  for (;;) {
    wtimeout(stdscr, milliseconds.value_or(-1));
    wint_t character = 0;
    const int read = wget_wch(stdscr, &character);
    if (read == ERR) return {IsGone() ? Key::Code::kGone : Key::Code::kNone, ""};
    if (read == KEY_CODE_YES) return {CodeOf(static_cast<int>(character)), ""};
    if (character != kControlZ) return KeyOf(character);
    // ncurses gives the terminal back and takes it again.
    raise(SIGTSTP);
    wrefresh(stdscr);
  }
}

bool Screen::WasInterrupted() {
  for (;;) {
    wtimeout(stdscr, 0);
    wint_t character = 0;
    const int read = wget_wch(stdscr, &character);
    if (read == ERR) return false;
    if (read == OK && (character == kControlC || character == kEscape)) return true;
    typed_.push_back(read == KEY_CODE_YES ? Key{CodeOf(static_cast<int>(character)), ""}
                                          : KeyOf(character));
  }
}

}  // namespace stele::cli
