// `stele config`: what `stele serve` would be told, and where each of it was said.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/configuration/configuration.h"
#include "cli/configuration/edge_options.h"
#include "cli/configuration/tracing.h"
#include "cli/text.h"
#include "engine/definition/export_plan.h"

namespace stele::cli {

namespace {

bool IsSaid(const Value& value) {
  return !value.is_null() && (!value.is_array() || !value.as_array().empty());
}

// As a file may have it.
Value ShownValue(const ChosenSetting& chosen) {
  if (chosen.setting->kind == SettingKind::kDuration)
    return definition::DurationText(chosen.value.as_int());
  return chosen.value;
}

// Of a list: its elements, with commas between.
std::string TextOf(const Value& value) {
  if (!IsSaid(value)) return "-";
  if (!value.is_array()) return Inline(value);
  std::string text;
  for (const Value& item : value.as_array()) text += (text.empty() ? "" : ", ") + Inline(item);
  return text;
}

Value ReportOf(const Configuration& configuration) {
  Array settings;
  for (const ChosenSetting& chosen : configuration.settings()) {
    const Setting& setting = *chosen.setting;
    settings.emplace_back(Object{{"name", setting.name},
                                 {"value", ShownValue(chosen)},
                                 {"origin", ToText(chosen.origin)},
                                 {"variable", VariableOf(setting)},
                                 {"flag", setting.flag},
                                 {"takes", setting.value},
                                 {"default", setting.otherwise},
                                 {"description", setting.help}});
  }
  return Object{{"settings", std::move(settings)}};
}

}  // namespace

int ShowConfiguration(const Arguments& arguments, const Terminal& terminal) {
  const auto configuration = Configuration::Read(arguments);
  if (!configuration.has_value()) return RefuseAll(terminal, configuration.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(ReportOf(*configuration))) + "\n");
  } else {
    std::vector<std::vector<std::string>> rows{{"SETTING", "VALUE", "ORIGIN"}};
    for (const ChosenSetting& chosen : configuration->settings())
      rows.push_back({std::string(chosen.setting->name), TextOf(ShownValue(chosen)),
                      Clean(ToText(chosen.origin))});
    terminal.Print(Table(terminal, std::move(rows)));
  }
  // What each setting may be by itself and not beside the others.
  if (const Status fits = server::Edge::Check(EdgeOptionsOf(*configuration)); !fits.has_value())
    return Refuse(terminal, fits.error());
  if (const auto tracing = TracingOf(*configuration); !tracing.has_value())
    return Refuse(terminal, tracing.error());
  return kExitDone;
}

}  // namespace stele::cli
