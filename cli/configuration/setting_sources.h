// What flags, variables and a file say of the settings of the table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/configuration/configuration.h"
#include "engine/definition/document.h"

namespace stele::cli {

// By name of the setting. What is said first stays, so that the sources are asked in the order in
// which they count; the faults of all of them are kept.
class SettingSources {
 public:
  void TakeFlags(const Arguments& arguments);
  void TakeEnvironment();
  // Nothing of an empty path.
  void TakeFile(const std::string& path);

  std::vector<Error>& faults() { return faults_; }
  // Null: nobody said it.
  const ChosenSetting* Find(const Setting& setting) const;

 private:
  void Choose(const Setting& setting, std::optional<Value> value, Origin origin);
  void TakeVariable(const Setting& setting, const std::string& name, const std::string& text);
  // A variable that was probably meant for the table. Others that begin like it are somebody
  // else's.
  void LookForUnknown(std::string_view variable);
  void TakeMap(const definition::Node& map, std::string_view section, const std::string& path,
               definition::Faults& found);
  void TakeEntry(const definition::Entry& entry, std::string_view section, const std::string& path,
                 definition::Faults& found);
  void Add(ErrorCode code, std::string_view where, definition::Faults& found);

  std::map<std::string_view, ChosenSetting> chosen_;
  std::vector<Error> faults_;
};

// What names the configuration file when --config does not.
inline constexpr std::string_view kConfigurationVariable = "STELE_CONFIG";

}  // namespace stele::cli
