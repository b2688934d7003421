#include "cli/definition_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/source.h"
#include "cli/text.h"
#include "cli/workflow_file.h"
#include "engine/requests/definitions.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

// A file that is there already is somebody's work.
Status WriteNewFile(const std::string& path, const std::string& text) {
  const auto fail = [&] {
    return Fail(ErrorCode::kIo, fmt::format("Expected to write a new file {} but found: {}", path,
                                            std::strerror(errno)));
  };
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return fail();
  for (size_t at = 0; at < text.size();) {
    const ssize_t count = write(file, text.data() + at, text.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Status failed = fail();
      close(file);
      return failed;
    }
    at += static_cast<size_t>(count);
  }
  return close(file) == 0 ? Status() : Status(fail());
}

}  // namespace

Result<Form> ReadForm(const Arguments& arguments) {
  Form form;
  if (arguments.Has("--dialect")) {
    const std::string word = arguments.Get("--dialect");
    const auto dialect = definition::FindDialect(word);
    if (!dialect.has_value())
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected one of {} for --dialect but found \"{}\"",
                              fmt::join(definition::DialectNames(), ", "), word));
    form.dialect = *dialect;
  }
  if (arguments.Has("--format")) {
    const std::string word = arguments.Get("--format");
    if (word != "yaml" && word != "json")
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected yaml or json for --format but found \"{}\"", word));
    form.syntax = word == "yaml" ? definition::Syntax::kYaml : definition::Syntax::kJson;
  }
  return form;
}

namespace {

// The same, with --dialect.
Result<Form> ReadGivenForm(const Arguments& arguments) {
  if (arguments.Has("--dialect")) return ReadForm(arguments);
  return Fail(ErrorCode::kUsage, fmt::format("Expected --dialect with one of {} but found none",
                                             fmt::join(definition::DialectNames(), ", ")));
}

}  // namespace

int PrintDefinition(const definition::Definition& definition, const Form& form,
                    const std::string& out, const Terminal& terminal) {
  Result<std::string> text = definition::Export(definition, form.dialect, form.syntax);
  if (!text.has_value()) return Refuse(terminal, text.error());
  if (!text->ends_with('\n')) *text += '\n';
  if (out.empty()) {
    // A file's bytes must stay what they are; a terminal must not obey them.
    terminal.Print(terminal.is_interactive() ? Clean(*text, true) : *text);
    return kExitDone;
  }
  if (const Status written = WriteNewFile(out, *text); !written.has_value())
    return Refuse(terminal, written.error());
  return kExitDone;
}

int ExportDefinition(const Arguments& arguments, const Terminal& terminal) {
  const auto form = ReadGivenForm(arguments);
  if (!form.has_value()) return Refuse(terminal, form.error());
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return Refuse(terminal, version.error());
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto found = requests::FindDefinition(*registry, arguments.operands()[0],
                                              static_cast<uint32_t>(version->value_or(0)), false);
  if (!found.has_value()) return Refuse(terminal, found.error());
  return PrintDefinition(*(*found)->definition, *form, "", terminal);
}

int Convert(const Arguments& arguments, const Terminal& terminal) {
  const auto form = ReadGivenForm(arguments);
  if (!form.has_value()) return Refuse(terminal, form.error());
  const std::string& path = arguments.operands()[0];
  if (const Status regular = CheckRegularFile(path); !regular.has_value())
    return Refuse(terminal, regular.error());
  const definition::LoadResult loaded = definition::LoadFile(path);
  if (!loaded.has_value()) return RefuseFaulty(terminal, {{path, loaded.error()}});
  return PrintDefinition(**loaded, *form, arguments.Get("--out"), terminal);
}

}  // namespace stele::cli
