#include "cli/audit_source.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/open_data.h"
#include "cli/remote/remote.h"
#include "cli/remote/server_option.h"
#include "cli/settings.h"
#include "eventstore/signed_head.h"
#include "eventstore/tree_reader.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using server::rpc::TextOf;

constexpr uint32_t kHeadsAtOnce = 1'000;  // of a server

// As far as the settings say: its place may be a command, which is asked once.
Result<bool> HasSigner(const Arguments& arguments) {
  const auto source = ReadAuditSource(arguments.Get("--data", kDefaultData));
  if (!source.has_value()) return std::unexpected(source.error());
  return !source->key.empty();
}

Result<replay::MadeProof> ProveThere(const Arguments& arguments, InstanceId instance,
                                     std::optional<Seq> event) {
  Result<replay::MadeProof> made = [&]() -> Result<replay::MadeProof> {
    const auto store = OpenForReading(arguments);
    if (!store.has_value()) return std::unexpected(store.error());
    return replay::MakeProof(**store, kShard, instance, event);
  }();
  const bool wanting =
      made.has_value() ? made->left_out > 0 : made.error().code == ErrorCode::kUnknownHead;
  if (!wanting) return made;
  const auto signer = HasSigner(arguments);
  if (!signer.has_value()) return std::unexpected(signer.error());
  if (!*signer) return made;
  const auto store = OpenForWriting(arguments);
  if (!store.has_value()) return made.has_value() ? made : std::unexpected(store.error());
  return replay::MakeCurrentProof(**store, kShard, instance, event);
}

// A server that proves something else proves nothing.
std::unexpected<Error> NotWhatWasAsked(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected the server to answer with {} but found {}", expected, found));
}

Result<Value> DocumentOf(capnp::Text::Reader text) {
  return ParseJson({text.begin(), text.size()});
}

}  // namespace

Result<replay::MadeProof> ProveRecords(const Arguments& arguments, InstanceId instance,
                                       std::optional<Seq> event) {
  if (!IsForServer(arguments)) return ProveThere(arguments, instance, event);
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = (*server)->session().logRequest().send().getLog().proveRequest();
  request.setInstance(instance.value);
  request.setEvent(event.value_or(Seq()).value);
  const auto answer = (*server)->Wait(request.send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  const auto document = DocumentOf(answer->getProof());
  if (!document.has_value()) return std::unexpected(document.error());
  auto proof = replay::ParseProof(*document);
  if (!proof.has_value()) return std::unexpected(proof.error());
  if (proof->instance != instance || proof->event != event)
    return NotWhatWasAsked("a proof of what was asked for", "one of something else");
  return replay::MadeProof{*std::move(proof), answer->getCovered(), answer->getLeftOut()};
}

Result<replay::Growth> ProveGrowth(const Arguments& arguments, const std::string& older,
                                   const std::string& newer) {
  if (IsForServer(arguments)) {
    const auto server = Remote::Open(arguments);
    if (!server.has_value()) return std::unexpected(server.error());
    auto request = (*server)->session().logRequest().send().getLog().growthRequest();
    request.setOlder(TextOf(older));
    request.setNewer(TextOf(newer));
    const auto answer = (*server)->Wait(request.send());
    if (!answer.has_value()) return std::unexpected(answer.error());
    const auto document = DocumentOf(answer->getProof());
    if (!document.has_value()) return std::unexpected(document.error());
    auto growth = replay::ParseGrowth(*document);
    const bool is_of_them =
        growth.has_value() && growth->older == older && (newer.empty() || growth->newer == newer);
    if (!growth.has_value() || is_of_them) return growth;
    return NotWhatWasAsked("a proof of growth between the heads that were given",
                           "one between others");
  }
  {
    const auto store = OpenForReading(arguments);
    if (!store.has_value()) return std::unexpected(store.error());
    // Proofs are made of stored hashes. Whoever can write the log may have changed records and left
    // those as they were.
    const auto chain = (*store)->InspectChain(kShard);
    if (!chain.has_value()) return std::unexpected(chain.error());
    if (!newer.empty()) return replay::ProveGrowth(**store, kShard, older, newer);
  }
  const auto signer = HasSigner(arguments);
  if (!signer.has_value()) return std::unexpected(signer.error());
  auto store = *signer ? OpenForWriting(arguments) : OpenForReading(arguments);
  // Until the newest head, where an engine has the directory open that signs them.
  if (!store.has_value() && store.error().code == ErrorCode::kStoreLocked)
    store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  return replay::ProveGrowthUntilNow(**store, kShard, older);
}

Result<std::vector<std::string>> ReadHeads(const Arguments& arguments, uint64_t from) {
  if (!IsForServer(arguments)) {
    const auto store = OpenForReading(arguments, /*damaged=*/true, /*without_key=*/true);
    if (!store.has_value()) return std::unexpected(store.error());
    return (*store)->Tree(kShard)->HeadsFrom(from, SIZE_MAX);
  }
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  std::vector<std::string> heads;
  for (;;) {
    auto request = (*server)->session().logRequest().send().getLog().headsRequest();
    request.setFrom(from);
    request.setLimit(kHeadsAtOnce);
    const auto answer = (*server)->Wait(request.send());
    if (!answer.has_value()) return std::unexpected(answer.error());
    const size_t before = heads.size();
    for (const auto note : answer->getHeads()) heads.emplace_back(note.begin(), note.size());
    // Behind them all the newest alone comes, again.
    if (before > 0 && heads.size() == before + 1 && heads[before] == heads[before - 1])
      heads.pop_back();
    if (heads.size() - before < kHeadsAtOnce) return heads;
    const auto last = eventstore::ParseHead(heads.back());
    if (!last.has_value()) return std::unexpected(last.error());
    from = last->head.size + 1;
  }
}

}  // namespace stele::cli
