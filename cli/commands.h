// The commands of the program: a file or two for each group. What they return is the exit code.
//
// 0 done, or the run completed; 1 the run failed, a fault was found, or the present state does not
// allow it; 2 bad usage, definition or data directory, or something unknown; 3 the run was
// cancelled or interrupted, or waits for somebody.
#pragma once

#include <span>
#include <vector>

#include "cli/arguments.h"
#include "cli/terminal.h"

namespace stele::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 3;

// Prints the error; its exit code.
int Refuse(const Terminal& terminal, const Error& error);

// A name of two words ("types list") belongs to the group that its first word names.
struct Command {
  CommandSpec spec;
  int (*run)(const Arguments& arguments, const Terminal& terminal);
};
struct CommandGroup {
  std::string_view title;
  std::span<const Command> commands;
};
// All of them, in the order in which people read about them.
std::vector<CommandGroup> CommandGroups();
std::vector<Command> Commands();

// The tables of the groups: running_commands.cc, operator_commands.cc, …
std::span<const Command> ReadingCommands();
std::span<const Command> RunningCommands();
std::span<const Command> PastCommands();
std::span<const Command> OperatorCommands();
std::span<const Command> PeopleCommands();
std::span<const Command> DefinitionCommands();
std::span<const Command> TriggerCommands();
std::span<const Command> AlertCommands();
std::span<const Command> BackupCommands();
std::span<const Command> RetentionCommands();
std::span<const Command> ExportCommands();
std::span<const Command> AuditCommands();
std::span<const Command> MeasuringCommands();
std::span<const Command> ServerCommands();

// Running
int RunWorkflow(const Arguments& arguments, const Terminal& terminal);
int StartWorkflow(const Arguments& arguments, const Terminal& terminal);
int Resume(const Arguments& arguments, const Terminal& terminal);
int Serve(const Arguments& arguments, const Terminal& terminal);
int ShowConfiguration(const Arguments& arguments, const Terminal& terminal);
int Validate(const Arguments& arguments, const Terminal& terminal);

// Reading
int List(const Arguments& arguments, const Terminal& terminal);
int ListActive(const Arguments& arguments, const Terminal& terminal);
int ShowStatus(const Arguments& arguments, const Terminal& terminal);
int ShowLogs(const Arguments& arguments, const Terminal& terminal);
int ServeEditor(const Arguments& arguments, const Terminal& terminal);
int ShowHistory(const Arguments& arguments, const Terminal& terminal);
int Debug(const Arguments& arguments, const Terminal& terminal);
int ListTasks(const Arguments& arguments, const Terminal& terminal);
int Verify(const Arguments& arguments, const Terminal& terminal);
int Replay(const Arguments& arguments, const Terminal& terminal);
int ShowStatistics(const Arguments& arguments, const Terminal& terminal);
int ListErrors(const Arguments& arguments, const Terminal& terminal);
int ListWorkers(const Arguments& arguments, const Terminal& terminal);
int ReportAudit(const Arguments& arguments, const Terminal& terminal);

// Looking back
int ShowState(const Arguments& arguments, const Terminal& terminal);
int DiffStates(const Arguments& arguments, const Terminal& terminal);
int BisectHistory(const Arguments& arguments, const Terminal& terminal);
int ShowTimeline(const Arguments& arguments, const Terminal& terminal);

// Views
int ListProjections(const Arguments& arguments, const Terminal& terminal);
int RebuildProjections(const Arguments& arguments, const Terminal& terminal);
int VerifyProjections(const Arguments& arguments, const Terminal& terminal);

// Operators
int Pause(const Arguments& arguments, const Terminal& terminal);
int ResumePaused(const Arguments& arguments, const Terminal& terminal);
int StepOn(const Arguments& arguments, const Terminal& terminal);
int Cancel(const Arguments& arguments, const Terminal& terminal);
int Terminate(const Arguments& arguments, const Terminal& terminal);
int Retry(const Arguments& arguments, const Terminal& terminal);
int Skip(const Arguments& arguments, const Terminal& terminal);
int RollBack(const Arguments& arguments, const Terminal& terminal);
int Resolve(const Arguments& arguments, const Terminal& terminal);
int SetVariables(const Arguments& arguments, const Terminal& terminal);
int Migrate(const Arguments& arguments, const Terminal& terminal);
int Fork(const Arguments& arguments, const Terminal& terminal);
int Reset(const Arguments& arguments, const Terminal& terminal);
int Signal(const Arguments& arguments, const Terminal& terminal);
int Publish(const Arguments& arguments, const Terminal& terminal);

// People
int Claim(const Arguments& arguments, const Terminal& terminal);
int Release(const Arguments& arguments, const Terminal& terminal);
int Approve(const Arguments& arguments, const Terminal& terminal);
int Reject(const Arguments& arguments, const Terminal& terminal);
int CompleteTask(const Arguments& arguments, const Terminal& terminal);
int FailTask(const Arguments& arguments, const Terminal& terminal);

// Definitions and types
int RegisterDefinitions(const Arguments& arguments, const Terminal& terminal);
int ListDefinitions(const Arguments& arguments, const Terminal& terminal);
int ShowDefinition(const Arguments& arguments, const Terminal& terminal);
int ExportDefinition(const Arguments& arguments, const Terminal& terminal);
int DiffVersions(const Arguments& arguments, const Terminal& terminal);
int InstantiateTemplate(const Arguments& arguments, const Terminal& terminal);
int ActivateDefinition(const Arguments& arguments, const Terminal& terminal);
int PauseDefinition(const Arguments& arguments, const Terminal& terminal);
int RetireDefinition(const Arguments& arguments, const Terminal& terminal);
int DraftDefinition(const Arguments& arguments, const Terminal& terminal);
int Convert(const Arguments& arguments, const Terminal& terminal);
int RegisterType(const Arguments& arguments, const Terminal& terminal);
int ListTypes(const Arguments& arguments, const Terminal& terminal);
int RemoveType(const Arguments& arguments, const Terminal& terminal);

// Triggers
int ListTriggers(const Arguments& arguments, const Terminal& terminal);
int ShowTrigger(const Arguments& arguments, const Terminal& terminal);
int NextOfTrigger(const Arguments& arguments, const Terminal& terminal);
int AddTrigger(const Arguments& arguments, const Terminal& terminal);
int PauseTrigger(const Arguments& arguments, const Terminal& terminal);
int ResumeTrigger(const Arguments& arguments, const Terminal& terminal);
int RemoveTrigger(const Arguments& arguments, const Terminal& terminal);
int FireTrigger(const Arguments& arguments, const Terminal& terminal);
int BackfillTrigger(const Arguments& arguments, const Terminal& terminal);
int DeliverRequest(const Arguments& arguments, const Terminal& terminal);

int Secrets(const Arguments& arguments, const Terminal& terminal);

// Keys
int Keys(const Arguments& arguments, const Terminal& terminal);

// Retention
int Archive(const Arguments& arguments, const Terminal& terminal);
int Retain(const Arguments& arguments, const Terminal& terminal);
int Erase(const Arguments& arguments, const Terminal& terminal);

// Proofs
int AuditKeygen(const Arguments& arguments, const Terminal& terminal);
int AuditHead(const Arguments& arguments, const Terminal& terminal);
int AuditHeads(const Arguments& arguments, const Terminal& terminal);
int AuditProve(const Arguments& arguments, const Terminal& terminal);
int AuditCheck(const Arguments& arguments, const Terminal& terminal);
int AuditConsistency(const Arguments& arguments, const Terminal& terminal);

// Backups
int Backup(const Arguments& arguments, const Terminal& terminal);
int RestoreBackup(const Arguments& arguments, const Terminal& terminal);

// Exports
int Export(const Arguments& arguments, const Terminal& terminal);
int Import(const Arguments& arguments, const Terminal& terminal);

// Measuring
int Bench(const Arguments& arguments, const Terminal& terminal);

}  // namespace stele::cli
