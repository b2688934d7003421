// `stele audit keygen`, `head`, `heads`, `prove`, `check`, `consistency`: proof to who does not
// trust the operator (docs/audit.md). `check` needs no log, the others one, or a server.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/json.h"
#include "cli/audit_source.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "engine/secrets/private_file.h"
#include "eventstore/signed_head.h"
#include "replay/audit/consistency.h"
#include "replay/audit/document.h"
#include "replay/audit/proof.h"

namespace stele::cli {

namespace {

// What the proof, the head or the log was found to be, not what was typed, is at fault.
int RefuseProof(const Terminal& terminal, const Error& error) {
  const int code = Refuse(terminal, error);
  const bool not_proved = error.code == ErrorCode::kBadProof ||
                          error.code == ErrorCode::kUnknownHead ||
                          error.code == ErrorCode::kStoreCorrupt;
  return not_proved ? kExitFailed : code;
}

// To the file of --output, which must be a new one, or to standard output.
Status Write(const Arguments& arguments, const Terminal& terminal, const std::string& text) {
  if (arguments.Has("--output")) return secrets::CreatePrivateFile(arguments.Get("--output"), text);
  terminal.Print(text);
  return {};
}

using Keys = std::vector<eventstore::NoteVerifier>;

// What --key says: a public key, or a file that has some, one a line.
Status AddKeys(const std::string& given, Keys& keys) {
  const auto add = [&](std::string_view text) -> Status {
    auto key = eventstore::NoteVerifier::Parse(text);
    if (!key.has_value()) return std::unexpected(key.error());
    keys.push_back(*std::move(key));
    return {};
  };
  if (given.contains('+') && add(given).has_value()) return {};
  std::error_code ignored;
  if (given.contains('+') && !std::filesystem::exists(given, ignored)) return add(given);
  const auto text = ReadGivenFile(given, eventstore::kMaxNoteBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  const size_t before = keys.size();
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);)
    if (line.find_first_not_of(" \t\r") != std::string::npos) STELE_RETURN_IF_ERROR(add(line));
  return keys.size() > before ? Status() : add(*text);
}

// Those of all --key. A log may have had several.
Result<Keys> KeysOf(const Arguments& arguments) {
  Keys keys;
  for (const std::string& given : arguments.All("--key"))
    STELE_RETURN_IF_ERROR(AddKeys(given, keys));
  if (!keys.empty()) return keys;
  return Fail(ErrorCode::kUsage,
              "Expected --key with the public key that \"stele audit keygen\" printed, or a file "
              "that has it, but found none");
}

// `key`: that signed it; empty: that was not looked at.
Value HeadJson(const eventstore::TreeHead& head, const std::string& key) {
  Object shown{{"origin", head.origin},
               {"size", static_cast<int64_t>(head.size)},
               {"root", eventstore::HashText(head.root)}};
  if (!key.empty()) shown.Set("key", key);
  return shown;
}

Value SignedHeadJson(const std::string& note) {
  const auto head = eventstore::ParseHead(note);
  if (!head.has_value()) return Object{{"note", note}};
  Value shown = HeadJson(head->head, fmt::format("{}+{:08x}", head->signatures.front().name,
                                                 head->signatures.front().key_id));
  shown.as_object().Set("note", note);
  return shown;
}

std::string EventNames(const Array& events) {
  std::string names;
  for (const Value& event : events) {
    const Value* name = event.Find("event");
    if (!names.empty()) names += ", ";
    if (name != nullptr && name->is_string()) names += Clean(name->as_string());
  }
  return names;
}

std::string SeqsText(Seq first, Seq last) {
  return first == last ? fmt::format("event {}", first.value)
                       : fmt::format("events {} to {}", first.value, last.value);
}

std::string HeadSentence(const eventstore::TreeHead& head, const std::string& key) {
  return fmt::format("signed by {}: {} over {}\n", Clean(key), Clean(head.origin),
                     Count(head.size, "record"));
}

// What a proof leaves open.
std::string NotProved(const replay::CheckedProof& proof) {
  return proof.event ? "what came behind it or before it"
                     : fmt::format("what came behind event {}", proof.records.back().last.value);
}

void PrintChecked(const Terminal& terminal, const replay::CheckedProof& proof) {
  const Seq first = proof.records.front().first, last = proof.records.back().last;
  std::string text = HeadSentence(proof.head, proof.key);
  text += fmt::format("instance {}: {}, {}\n", proof.instance.value,
                      Count(proof.records.size(), "record"), SeqsText(first, last));
  std::vector<std::vector<std::string>> rows = {{"POSITION", "TIME", "EVENTS", "BY", "WHAT"}};
  for (const replay::CheckedRecord& record : proof.records)
    rows.push_back({fmt::format("{}", record.position.value), Time(record.time),
                    record.first == record.last
                        ? fmt::format("{}", record.first.value)
                        : fmt::format("{}–{}", record.first.value, record.last.value),
                    Clean(record.actor.empty() ? "-" : record.actor),
                    EventNames(record.events) + (record.sealed ? " (sealed)" : "")});
  text += Table(terminal, rows);
  text += proof.event ? "proved: this record stands in the log at this place, unchanged\n"
                      : "proved: these records stand in the log at these places, unchanged, from "
                        "the instance's first\non, with none left out between them\n";
  text += fmt::format("not proved: {}\n", NotProved(proof));
  terminal.Print(text);
}

Value CheckedJson(const replay::CheckedProof& proof) {
  Array records;
  for (const replay::CheckedRecord& record : proof.records)
    records.push_back(Object{{"position", static_cast<int64_t>(record.position.value)},
                             {"time", record.time.value},
                             {"first_seq", static_cast<int64_t>(record.first.value)},
                             {"last_seq", static_cast<int64_t>(record.last.value)},
                             {"actor", record.actor},
                             {"source", record.source},
                             {"sealed", record.sealed},
                             {"events", record.events}});
  Object shown{{"proved", true},
               {"head", HeadJson(proof.head, proof.key)},
               {"instance", static_cast<int64_t>(proof.instance.value)}};
  if (proof.event) shown.Set("event", static_cast<int64_t>(proof.event->value));
  shown.Set("records", std::move(records));
  shown.Set("not_proved", NotProved(proof));
  return shown;
}

// That the head of the proof is the one that somebody kept.
Status CheckKeptHead(const Arguments& arguments, const Keys& keys,
                     const eventstore::TreeHead& found) {
  if (!arguments.Has("--checkpoint")) return {};
  const auto text = ReadGivenFile(arguments.Get("--checkpoint"), eventstore::kMaxNoteBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  const auto kept = eventstore::ParseHead(*text);
  if (!kept.has_value()) return std::unexpected(kept.error());
  const auto signer = eventstore::SignerOf(*kept, keys);
  if (!signer.has_value()) return std::unexpected(signer.error());
  if (kept->head == found) return {};
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a proof under the head of {} over {} records that was kept but "
                          "found one over {}{}",
                          kept->head.origin, kept->head.size, found.size,
                          kept->head.size == found.size
                              ? " with another root: one of the two was signed for a changed log"
                              : "; \"stele audit consistency\" proves that the log only grew "
                                "between the two"));
}

void PrintGrowth(const Arguments& arguments, const Terminal& terminal,
                 const replay::CheckedGrowth& growth, bool records_read) {
  const bool is_signed = !growth.newer_key.empty();
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(Object{{"proved", true},
                                       {"older", HeadJson(growth.older, growth.older_key)},
                                       {"newer", HeadJson(growth.newer, growth.newer_key)},
                                       {"signatures_checked", is_signed},
                                       {"records_checked", records_read}}) +
                   "\n");
    return;
  }
  std::string text;
  if (growth.older_key != growth.newer_key) text += HeadSentence(growth.older, growth.older_key);
  if (is_signed) text += HeadSentence(growth.newer, growth.newer_key);
  text += fmt::format("proved: the log of {} begins with the {} of the older head, unchanged\n",
                      Count(growth.newer.size, "record"), growth.older.size);
  if (!is_signed) text += "not looked at: who signed the heads; --key checks that\n";
  if (!records_read)
    text += "not looked at: the records whose hashes these are; \"stele verify\" reads them\n";
  terminal.Print(text);
}

// That the proof is of what somebody wants to know of.
Status CheckExpected(const Arguments& arguments, const replay::CheckedProof& proof) {
  if (arguments.Has("--instance")) {
    const auto id = ParseInstanceId(arguments.Get("--instance"));
    if (!id.has_value()) return std::unexpected(id.error());
    if (*id != proof.instance)
      return Fail(ErrorCode::kBadProof, fmt::format("Expected a proof of instance {} but found one "
                                                    "of instance {}",
                                                    id->value, proof.instance.value));
  }
  const auto event = GivenNumber(arguments, "--event", 1, INT64_MAX);
  if (!event.has_value()) return std::unexpected(event.error());
  if (!event->has_value()) return {};
  const Seq seq(**event), first = proof.records.front().first, last = proof.records.back().last;
  if (first <= seq && seq <= last) return {};
  return Fail(ErrorCode::kBadProof, fmt::format("Expected a proof of event {} but found one of {}",
                                                seq.value, SeqsText(first, last)));
}

Status CheckGivenGrowth(const Arguments& arguments, const Terminal& terminal, const Value& document,
                        const Keys& keys) {
  for (const char* option : {"--instance", "--event"})
    if (arguments.Has(option))
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected {} with a proof of an instance's records but found one of "
                              "growth",
                              option));
  const auto growth = replay::ParseGrowth(document);
  if (!growth.has_value()) return std::unexpected(growth.error());
  const auto checked = replay::CheckGrowth(*growth, keys);
  if (!checked.has_value()) return std::unexpected(checked.error());
  STELE_RETURN_IF_ERROR(CheckKeptHead(arguments, keys, checked->older));
  PrintGrowth(arguments, terminal, *checked, /*records_read=*/false);
  return {};
}

Status Check(const Arguments& arguments, const Terminal& terminal) {
  const auto keys = KeysOf(arguments);
  if (!keys.has_value()) return std::unexpected(keys.error());
  const auto text = ReadGivenFile(arguments.operands()[0], replay::kMaxProofTextBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  const auto document = replay::ParseDocument(*text, "a proof");
  if (!document.has_value()) return std::unexpected(document.error());
  if (replay::IsGrowth(*document)) return CheckGivenGrowth(arguments, terminal, *document, *keys);
  const auto proof = replay::ParseProof(*document);
  if (!proof.has_value()) return std::unexpected(proof.error());
  const auto checked = replay::CheckProof(*proof, *keys);
  if (!checked.has_value()) return std::unexpected(checked.error());
  STELE_RETURN_IF_ERROR(CheckExpected(arguments, *checked));
  STELE_RETURN_IF_ERROR(CheckKeptHead(arguments, *keys, checked->head));
  if (arguments.Has("--json"))
    terminal.Print(ToPrettyJson(CheckedJson(*checked)) + "\n");
  else
    PrintChecked(terminal, *checked);
  return {};
}

Status Prove(const Arguments& arguments, const Terminal& terminal) {
  const auto id = ParseInstanceId(arguments.operands()[0]);
  if (!id.has_value()) return std::unexpected(id.error());
  const auto event = GivenNumber(arguments, "--event", 1, INT64_MAX);
  if (!event.has_value()) return std::unexpected(event.error());
  const std::string format = arguments.Get("--format", "json");
  if (format != "json" && format != "tlog-proof")
    return Fail(ErrorCode::kUsage, fmt::format("Expected json or tlog-proof for --format but found "
                                               "\"{}\"",
                                               Clean(format)));
  const auto made =
      ProveRecords(arguments, *id, event->has_value() ? std::optional(Seq(**event)) : std::nullopt);
  if (!made.has_value()) return std::unexpected(made.error());
  if (format == "tlog-proof" && made->proof.records.size() != 1)
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected --event with --format tlog-proof, which has one record, but "
                            "found {}",
                            made->proof.records.size()));
  STELE_RETURN_IF_ERROR(Write(arguments, terminal,
                              format == "json" ? ToPrettyJson(replay::ToJson(made->proof)) + "\n"
                                               : replay::ToTlogProof(made->proof)));
  if (made->left_out > 0)
    terminal.PrintNote(fmt::format(
        "{} of the instance came behind the newest signed head, over {}, and is not proved",
        Count(made->left_out, "record"), Count(made->covered, "record")));
  return {};
}

Status Consistency(const Arguments& arguments, const Terminal& terminal) {
  const auto& operands = arguments.operands();
  const auto keys = arguments.Has("--key") ? KeysOf(arguments) : Result<Keys>(Keys());
  if (!keys.has_value()) return std::unexpected(keys.error());
  std::vector<std::string> notes;
  for (const std::string& file : operands) {
    const auto note = ReadGivenFile(file, eventstore::kMaxNoteBytes);
    if (!note.has_value()) return std::unexpected(note.error());
    notes.push_back(*note);
  }
  const auto growth = ProveGrowth(arguments, notes[0], notes.size() > 1 ? notes[1] : "");
  if (!growth.has_value()) return std::unexpected(growth.error());
  const auto checked =
      keys->empty() ? replay::CheckGrowthOfHeads(*growth) : replay::CheckGrowth(*growth, *keys);
  if (!checked.has_value()) return std::unexpected(checked.error());
  if (arguments.Has("--output"))
    STELE_RETURN_IF_ERROR(Write(arguments, terminal, ToPrettyJson(replay::ToJson(*growth)) + "\n"));
  PrintGrowth(arguments, terminal, *checked, !IsForServer(arguments));
  return {};
}

Status ShowHead(const Arguments& arguments, const Terminal& terminal) {
  const auto notes = ReadHeads(arguments, UINT64_MAX);
  if (!notes.has_value()) return std::unexpected(notes.error());
  if (notes->empty())
    return Fail(
        ErrorCode::kUnknownHead,
        "Expected a signed head of the log but found none; \"audit\" in settings.json names "
        "the key that signs (docs/audit.md)");
  terminal.Print(arguments.Has("--json") ? ToPrettyJson(SignedHeadJson(notes->back())) + "\n"
                                         : Clean(notes->back(), /*keep_lines=*/true));
  return {};
}

Status ListHeads(const Arguments& arguments, const Terminal& terminal) {
  const auto from = GivenNumber(arguments, "--from", 0, INT64_MAX);
  if (!from.has_value()) return std::unexpected(from.error());
  const auto notes = ReadHeads(arguments, from->value_or(0));
  if (!notes.has_value()) return std::unexpected(notes.error());
  if (arguments.Has("--json")) {
    Array heads;
    for (const std::string& note : *notes) heads.push_back(SignedHeadJson(note));
    terminal.Print(ToPrettyJson(heads) + "\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"RECORDS", "KEY", "ROOT"}};
  for (const std::string& note : *notes) {
    const auto head = eventstore::ParseHead(note);
    if (!head.has_value()) return std::unexpected(head.error());
    rows.push_back({fmt::format("{}", head->head.size),
                    fmt::format("{}+{:08x}", Clean(head->signatures.front().name),
                                head->signatures.front().key_id),
                    eventstore::HashText(head->head.root)});
  }
  terminal.Print(rows.size() == 1 ? "no signed heads\n" : Table(terminal, rows));
  return {};
}

Status MakeKey(const Arguments& arguments, const Terminal& terminal) {
  const std::string& name = arguments.operands()[0];
  STELE_RETURN_IF_ERROR(eventstore::CheckKeyName(name));
  const auto signer = eventstore::NoteSigner::Generate(name);
  std::string text = signer.ToText() + "\n";
  const secrets::WipeAtEnd wipe(text);
  const std::string known = signer.verifier().ToText() + "\n";
  if (!arguments.Has("--output")) {
    terminal.Print(text + known);
    return {};
  }
  STELE_RETURN_IF_ERROR(Write(arguments, terminal, text));
  terminal.Print(known);
  return {};
}

int Run(Status (*action)(const Arguments&, const Terminal&), const Arguments& arguments,
        const Terminal& terminal) {
  const Status done = action(arguments, terminal);
  return done.has_value() ? kExitDone : RefuseProof(terminal, done.error());
}

}  // namespace

int AuditKeygen(const Arguments& arguments, const Terminal& terminal) {
  return Run(MakeKey, arguments, terminal);
}
int AuditHead(const Arguments& arguments, const Terminal& terminal) {
  return Run(ShowHead, arguments, terminal);
}
int AuditHeads(const Arguments& arguments, const Terminal& terminal) {
  return Run(ListHeads, arguments, terminal);
}
int AuditProve(const Arguments& arguments, const Terminal& terminal) {
  return Run(Prove, arguments, terminal);
}
int AuditCheck(const Arguments& arguments, const Terminal& terminal) {
  return Run(Check, arguments, terminal);
}
int AuditConsistency(const Arguments& arguments, const Terminal& terminal) {
  return Run(Consistency, arguments, terminal);
}

}  // namespace stele::cli
