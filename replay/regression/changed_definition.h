// Histories decided with another definition from their first event on: what a new version of a
// workflow makes of what the old ones lived through.
//
// A start is taken back to what was asked for: a variable, a priority or a deadline that is the old
// definition's default was not given, and becomes the new one's. Places in a definition's limit are
// as they were recorded. Migrations change nothing: the history runs the new definition anyway. A
// fork begins with its state migrated to it.
//
// Thread: one at a time; the definition may be shared.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "replay/redecide.h"
#include "replay/regression/correspondence.h"

namespace stele::replay {

class ChangedDefinition final : public Alternative {
 public:
  explicit ChangedDefinition(std::shared_ptr<const definition::Definition> changed)
      : changed_(std::move(changed)) {}

  const definition::Definition& definition() const { return *changed_; }

  Terms TermsOf(model::Command& command, const model::RegisteredDefinition& recorded,
                const model::RecordContext& record) override;
  std::optional<Parting> Compare(const std::vector<model::Event>& recorded,
                                 const std::vector<model::Event>& decided,
                                 const model::RegisteredDefinition& ran,
                                 const eventstore::RecordView& record) override;

  // A task whose executor would be handed something else. The history goes on with what the
  // recorded one gave.
  struct Asked {
    Position position;  // of the record
    StepIndex step;     // of the changed definition
    size_t recorded_at = 0;
    size_t decided_at = 0;
  };
  // Those of the records since the last call.
  std::vector<Asked> TakeAsked() { return std::exchange(asked_, {}); }

 private:
  const Correspondence& From(const model::RegisteredDefinition& recorded);

  const std::shared_ptr<const definition::Definition> changed_;
  std::map<DefinitionId, Correspondence> correspondences_;
  std::vector<Asked> asked_;
};

}  // namespace stele::replay
