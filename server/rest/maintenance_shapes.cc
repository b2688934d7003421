#include "server/rest/maintenance_shapes.h"

namespace stele::server::rest {

namespace {

std::vector<Component> ProofShapes() {
  using Others = Component::Others;
  return {{"VerifyLog",
           "",
           {{"chain_alone?", "flag", "its chain of hashes, and not what the records mean"}},
           Others::kRefused},
          {"VerifiedLog",
           "Of the chain alone there are records and nothing else.",
           {{"records", "count", ""},
            {"events?", "count", ""},
            {"instances?", "count", ""},
            {"open?", "count", "of the instances"},
            {"definitions?", "count", ""}}},
          {"NamedViews", "", {{"views?", "[name]", "all unless given"}}, Others::kRefused},
          {"ComparedView",
           "",
           {{"view", "text", ""},
            {"position", "number", "up to where in the log"},
            {"equal", "count", "entries"},
            {"differing", "count", "entries"},
            {"examples", "[text]", "of those that differ"}}},
          {"ComparedViews", "", {{"views", "[ComparedView]", ""}}}};
}

std::vector<Component> LogShapes() {
  using Others = Component::Others;
  const std::vector<ShapeMember> named{
      {"instances?", "[number]", "with all that they called"},
      {"subject?", "key", "and those with this business key, or with the tag `subject:` KEY"},
      {"reason?", "text", "is kept in the log"}};
  std::vector<ShapeMember> retained = named;
  retained.push_back({"dry_run?", "flag", "says what would go, and nothing does"});
  return {
      {"ArchiveLog",
       "",
       {{"before?", "moment", "what was recorded before"},
        {"keep_bytes?", "count", "not with it: what does not fit into so many"}},
       Others::kRefused},
      {"ArchivedLog",
       "",
       {{"records", "count", "that were archived now"},
        {"segments", "count", "files of the archive that were written, those that grew included"},
        {"bytes", "count", "of these"},
        {"archived_to", "count", "the last position that is in the archive; 0: none"}}},
      {"RetentionPolicy",
       "Durations in seconds; 0: for ever, or any.",
       {{"closed", "rate", "how long closed instances stay"},
        {"archive_after", "rate", "how long records stay in the hot log"},
        {"hot_log_bytes", "count", "how much of it there may be"},
        {"every", "rate", "how often it is looked at"}}},
      {"ApplyRetention", "What is due, without instances or subject.", retained, Others::kRefused},
      {"Purged",
       "",
       {{"dry_run", "flag", ""},
        {"instances", "count", ""},
        {"definitions", "object", "how many of each"},
        {"records?", "count", "that were cut out of the log, not when it is dry"},
        {"archived?", "count", "records that left the hot log, not when it is dry"}}},
      {"EraseInstances", "Instances, a subject, or both.", named, Others::kRefused},
      {"Erased",
       "",
       {{"erased", "[number]", "the instances"},
        {"sent", "count", "messages and firings"},
        {"in_clear?", "[number]", "with payloads from before the log was sealed, which stay"},
        {"sent_in_clear?", "count", "messages and firings of that kind"},
        {"started?", "[number]", "by erased messages: others, which keep their inputs"}}}};
}

std::vector<Component> KeptShapes() {
  using Others = Component::Others;
  const std::vector<ShapeMember> backup{{"backup", "number", ""},
                                        {"made", "time", ""},
                                        {"shards", "[BackedUpShard]", ""},
                                        {"files", "count", ""},
                                        {"bytes", "count", ""}};
  std::vector<ShapeMember> made = backup;
  made.insert(made.end(), {{"unchanged", "flag", "since the newest, which it is"},
                           {"new_bytes", "count", "that earlier ones did not have"},
                           {"removed", "[number]", "older ones that are gone"},
                           {"notes", "[text]", "what somebody should read"}});
  std::vector<ShapeMember> found = backup;
  found.push_back({"records?", "count", "when it was verified"});
  const ShapeMember directory{"directory", "text", "below the server's directory for backups"};
  return {{"MakeBackup",
           "",
           {directory, {"keep?", "version", "so many stay; all unless given"}},
           Others::kRefused},
          {"BackedUpShard",
           "",
           {{"shard", "number", ""},
            {"position", "number", "of its last record"},
            {"time", "time|null", "of that"},
            {"hash", "text", "of the chain up to there"}}},
          {"MadeBackup", "", made},
          {"Backup", "", found},
          {"VerifyBackups",
           "",
           {directory, {"backup?", "version", "that one; all unless given"}},
           Others::kRefused},
          {"FoundBackups",
           "",
           {{"backups", "[Backup]", "the oldest first"},
            {"faults", "[ProblemDetail]", "why others cannot be read"},
            {"notes", "[text]", "what somebody should read"}}},
          {"Secret",
           "",
           {{"name", "text", ""},
            {"bytes", "count", "of its value"},
            {"created", "time", ""},
            {"changed", "time", ""}}},
          {"SecretList", "", {{"secrets", "[Secret]", "by name"}}},
          {"SetSecret", "", {{"value", "text", "is never told again"}}, Others::kRefused},
          {"KeyStatus", "", {{"sealed", "flag", "what the log holds is encrypted"}}}};
}

}  // namespace

std::vector<Component> MaintenanceShapes() {
  std::vector<Component> shapes = ProofShapes();
  for (const auto& more : {LogShapes(), KeptShapes()})
    shapes.insert(shapes.end(), more.begin(), more.end());
  return shapes;
}

}  // namespace stele::server::rest
