// What those who run a server ask of it (server/operations/maintenance.h). Reports are the
// documents of server/operations/reports.h.
#pragma once

#include <string>

#include "base/error.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/retention/requested.h"
#include "server/operations/maintenance.h"

namespace stele::cli {

Result<Value> VerifyAtServer(const Arguments& arguments, const Terminal& terminal,
                             bool chain_alone);
// Of the operands; all without one.
Status RebuildViewsAtServer(const Arguments& arguments, const Terminal& terminal);
Result<Value> CompareViewsAtServer(const Arguments& arguments, const Terminal& terminal);

// The operand is a name below the server's directory for backups.
Result<server::MadeBackup> BackUpAtServer(const Arguments& arguments, uint32_t keep);
using FoundBackups = server::Maintenance::FoundBackups;
Result<FoundBackups> ListBackupsAtServer(const Arguments& arguments);
// `only` 0: all.
Result<FoundBackups> VerifyBackupsAtServer(const Arguments& arguments, uint32_t only);

Result<Value> ArchiveAtServer(const Arguments& arguments, const retention::ArchiveRange& range);
Result<Value> PolicyAtServer(const Arguments& arguments);
Result<Value> RetainAtServer(const Arguments& arguments, const retention::Requested& requested,
                             bool dry);
Result<Value> EraseAtServer(const Arguments& arguments, const retention::Requested& requested);

Result<Value> SecretsAtServer(const Arguments& arguments);
Status SetSecretAtServer(const Arguments& arguments, const std::string& name,
                         const std::string& value);
Status RemoveSecretAtServer(const Arguments& arguments, const std::string& name);
Result<Value> KeysAtServer(const Arguments& arguments);

}  // namespace stele::cli
