// What auditors ask: proof that the log is what was written.
#include "server/operations/proofs.h"

#include <optional>

#include "server/operations/limits.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

kj::Promise<http::Response> Prove(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto event = call.AskedNumber("event");
  return Reply(
      ProveRecords(operations.desk, call.caller(), *id,
                   event ? std::optional(Seq(static_cast<uint64_t>(*event))) : std::nullopt),
      [](const replay::MadeProof& made) { return http::Json(200, replay::ToJson(made.proof)); });
}

kj::Promise<http::Response> Heads(const Operations& operations, const Call& call) {
  const auto limit = call.AskedNumber("limit");
  return Reply(ReadHeads(operations.desk, call.caller(),
                         static_cast<uint64_t>(call.AskedNumber("from").value_or(0)),
                         limit ? static_cast<size_t>(*limit) : kDefaultHeads),
               [](const std::vector<std::string>& notes) {
                 Array heads;
                 for (const std::string& note : notes) heads.emplace_back(note);
                 return http::Json(200, Object{{"heads", std::move(heads)}});
               });
}

kj::Promise<http::Response> Growth(const Operations& operations, const Call& call) {
  return Reply(
      ProveGrowth(operations.desk, call.caller(), call.Text("older"), call.Text("newer")),
      [](const replay::Growth& growth) { return http::Json(200, replay::ToJson(growth)); });
}

std::vector<Component> Shapes() {
  return {{"ProvedRecord",
           "A record as the log has it, and the way from it to the root of the head.",
           {{"position", "number", ""},
            {"frame", "text", "its bytes in base64; payloads that are sealed stay so"},
            {"path", "[text]", "hashes in base64 (RFC 9162, 2.1.3)"}}},
          {"InclusionProof",
           "That records stand in the log.",
           {{"format", "text", "\"stele-proof\""},
            {"version", "number", "1"},
            {"head", "text", "the signed head"},
            {"instance", "number", ""},
            {"event?", "number", "of which the record is; none: all of them"},
            {"records", "[ProvedRecord]", ""}}},
          {"SignedHeads", "", {{"heads", "[text]", "the smallest first"}}},
          {"GrowthRequest",
           "",
           {{"older", "text", "a signed head"},
            {"newer?", "text", "another one; none: the log as it is now"}}},
          {"GrowthProof",
           "That the log only grew between two heads.",
           {{"format", "text", "\"stele-consistency-proof\""},
            {"version", "number", "1"},
            {"older", "text", ""},
            {"newer", "text", ""},
            {"path", "[text]", "hashes in base64 (RFC 9162, 2.1.4)"}}}};
}

}  // namespace

Resource ProofsResource(const Operations& operations) {
  return {
      .name = "proofs",
      .about = "Proof that the log is what was written.",
      .routes = {{.method = Method::kGet,
                  .pattern = "/instances/{id}/proof",
                  .id = "getProof",
                  .summary = "Proof that an instance's records stand in the log, unchanged.",
                  .permission = Permission::kAudit,
                  .parameters = {Number("event", 1, INT64_MAX, "of the record with it alone")},
                  .answers = {{200, "it is proved", "InclusionProof"}},
                  .handle = [operations](const Call& call) { return Prove(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/audit/heads",
                  .id = "getHeads",
                  .summary = "The signed heads of the log.",
                  .permission = Permission::kAudit,
                  .parameters = {Number(
                                     "from", 0, INT64_MAX,
                                     "over so many records or more; beyond the last: the newest"),
                                 Number("limit", 1, static_cast<int64_t>(kMaxHeads),
                                        "at most so many; 200 unless given")},
                  .answers = {{200, "they are", "SignedHeads"}},
                  .handle = [operations](const Call& call) { return Heads(operations, call); }},
                 {.method = Method::kPost,
                  .pattern = "/audit/consistency",
                  .id = "proveGrowth",
                  .summary = "Proof that nothing before a signed head was changed.",
                  .permission = Permission::kAudit,
                  .body = ObjectOf("GrowthRequest"),
                  .answers = {{200, "it is proved", "GrowthProof"}},
                  .handle = [operations](const Call& call) { return Growth(operations, call); }}},
      .components = Shapes()};
}

}  // namespace stele::server::rest
