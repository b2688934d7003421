// Every method that answers many at once, called by somebody who may not see a definition: nothing
// of that definition is in what it answers.
#include <capnp/dynamic.h>
#include <capnp/pretty-print.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/server/rpc/rpc_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::rpc {
namespace {

class RpcSight : public RpcWorld {
 protected:
  RpcSight() {
    BeginTelling(world_, 2);
    auto request = Session().alertsRequest().send().getAlerts().setRequest();
    request.setName("secret-rule");
    request.setRule(R"({"condition": "failed > 0", "definition": "secret-flow"})");
    Await(request.send());
  }

  // What each method answers or is refused with, called with nothing, and with what leads to
  // something secret.
  std::map<std::string, std::string> Answers(capnp::DynamicCapability::Client client,
                                             capnp::InterfaceSchema schema) {
    std::map<std::string, std::string> answers;
    for (const auto method : schema.getMethods())
      for (const bool asks : {false, true}) {
        auto request = client.newRequest(method);
        if (asks) Ask(request);
        auto& answer = answers[method.getProto().getName().cStr()];
        answer += world_.Await(request.send().then(
            [](capnp::Response<capnp::DynamicStruct>&& response) {
              return std::string(kj::str(capnp::DynamicStruct::Reader(response)).cStr());
            },
            [](kj::Exception&& refused) { return Redacted(refused.getDescription().cStr()); }));
      }
    return answers;
  }

 private:
  // Whoever asks for something by its name may be told that name again.
  static std::string Redacted(std::string text) {
    for (size_t at; (at = text.find(kGuarded)) != std::string::npos;)
      text.replace(at, std::string_view(kGuarded).size(), "it");
    return text;
  }
  static void Ask(capnp::DynamicStruct::Builder to) {
    for (const auto field : to.getSchema().getFields()) {
      const std::string name = field.getProto().getName().cStr();
      const auto type = field.getType();
      if (type.isText() && (name == "name" || name == "definition")) to.set(field, kGuarded);
      if ((type.isUInt64() || type.isUInt32()) && (name == "instance" || name == "id"))
        to.set(field, 1u);
      if (type.isStruct()) Ask(to.init(field).as<capnp::DynamicStruct>());
    }
  }
};

TEST_F(RpcSight, TellsNothingOfWhatSomebodyMayNotSee) {
  size_t told = 0;
  for (const bool sees : {false, true}) {
    auto session = sees ? Session() : Narrowed("operator");
    std::map<std::string, std::map<std::string, std::string>> answers;
    answers["views"] =
        Answers(session.viewsRequest().send().getViews(), capnp::Schema::from<api::Views>());
    answers["tasks"] =
        Answers(session.tasksRequest().send().getTasks(), capnp::Schema::from<api::Tasks>());
    answers["definitions"] = Answers(session.definitionsRequest().send().getDefinitions(),
                                     capnp::Schema::from<api::Definitions>());
    answers["triggers"] = Answers(session.triggersRequest().send().getTriggers(),
                                  capnp::Schema::from<api::Triggers>());
    answers["alerts"] =
        Answers(session.alertsRequest().send().getAlerts(), capnp::Schema::from<api::Alerts>());
    for (const auto& [interface, methods] : answers)
      for (const auto& [method, answer] : methods) {
        const bool tells = answer.contains("secret");
        EXPECT_TRUE(sees || !tells) << interface << "." << method << ": " << answer;
        told += sees && tells ? 1 : 0;
      }
  }
  // Instances, tasks, definitions, their texts, triggers, figures, errors: the calls lead there.
  EXPECT_GE(told, 7u);
}

}  // namespace
}  // namespace stele::server::rpc
