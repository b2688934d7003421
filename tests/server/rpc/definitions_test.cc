// Definitions and task types.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

constexpr char kGood[] =
    "version: '1.0'\nname: orders\ndescription: of shops\nsteps:\n  - {id: a, type: script}\n";
constexpr char kFaulty[] =
    "version: '1.0'\nname: orders\nsteps:\n  - {id: a, type: nonesuch}\n"
    "  - {id: b, type: script, depends_on: [c]}\n";

class RpcDefinitions : public RpcWorld {
 protected:
  api::Definitions::Client Definitions() {
    return Session().definitionsRequest().send().getDefinitions();
  }
  auto Registering(const std::string& text) {
    auto request = Definitions().registerRequest();
    request.initText().setText(text);
    return request;
  }
};

TEST_F(RpcDefinitions, AreRegisteredOnce) {
  const auto answer = Await(Registering(kGood).send());
  ASSERT_TRUE(answer.getRegistration().isDefinition());
  const auto status = answer.getRegistration().getDefinition();
  EXPECT_STREQ(status.getName().cStr(), "orders");
  EXPECT_EQ(status.getVersion(), 1u);
  EXPECT_EQ(status.getState(), api::DefinitionState::ACTIVE);
  EXPECT_STREQ(status.getDescription().cStr(), "of shops");
  EXPECT_TRUE(status.getIsNew());
  EXPECT_GT(status.getPosition(), 0u);
  const auto again = Await(Registering(kGood).send());
  EXPECT_FALSE(again.getRegistration().getDefinition().getIsNew());
  EXPECT_EQ(again.getRegistration().getDefinition().getVersion(), 1u);
}

TEST_F(RpcDefinitions, AreRefusedWithEveryFault) {
  const auto answer = Await(Registering(kFaulty).send());
  ASSERT_TRUE(answer.getRegistration().isRefused());
  const auto refused = answer.getRegistration().getRefused();
  ASSERT_EQ(refused.getFaults().size(), 2u);
  EXPECT_EQ(refused.getCode(), refused.getFaults()[0].getCode());
  EXPECT_EQ(refused.getFaults()[0].getLine(), 4u);
  EXPECT_EQ(refused.getFaults()[1].getLine(), 5u);
  EXPECT_GT(refused.getFaults()[1].getColumn(), 0u);
  EXPECT_NE(std::string(refused.getMessage().cStr()).find("2"), std::string::npos);
  EXPECT_EQ(Await(Definitions().listRequest().send()).getDefinitions().size(), 0u);
}

TEST_F(RpcDefinitions, AreValidatedWithoutBeingRegistered) {
  auto good = Definitions().validateRequest();
  good.initText().setText(kGood);
  const auto valid = Await(good.send());
  ASSERT_TRUE(valid.getVerdict().isValid());
  EXPECT_STREQ(valid.getVerdict().getValid().getName().cStr(), "orders");
  EXPECT_EQ(valid.getVerdict().getValid().getSteps(), 1u);
  auto faulty = Definitions().validateRequest();
  faulty.initText().setText(kFaulty);
  const auto refused = Await(faulty.send());
  ASSERT_TRUE(refused.getVerdict().isRefused());
  EXPECT_EQ(refused.getVerdict().getRefused().getFaults().size(), 2u);
  EXPECT_EQ(Await(Definitions().listRequest().send()).getDefinitions().size(), 0u);
}

TEST_F(RpcDefinitions, AreListedShownAndChanged) {
  Await(Registering(kGood).send());
  world_.Register("other", "{id: a, type: script}");
  EXPECT_EQ(Await(Definitions().listRequest().send()).getDefinitions().size(), 2u);
  auto some = Definitions().listRequest();
  some.setName("other");
  EXPECT_EQ(Await(some.send()).getDefinitions().size(), 1u);
  some = Definitions().listRequest();
  some.setName("nothing");
  EXPECT_EQ(CodeOf(some.send()), ErrorCode::kUnknownDefinition);
  auto change = Definitions().changeRequest();
  change.setName("orders");
  change.setState(api::DefinitionState::PAUSED);
  change.setReason("stock");
  EXPECT_EQ(Await(change.send()).getDefinition().getState(), api::DefinitionState::PAUSED);
  auto get = Definitions().getRequest();
  get.setName("orders");
  get.setVersion(1);
  const auto status = Await(get.send());
  EXPECT_EQ(status.getDefinition().getState(), api::DefinitionState::PAUSED);
  EXPECT_STREQ(status.getDefinition().getReason().cStr(), "stock");
  EXPECT_EQ(CodeOf(Starting("orders").send()), ErrorCode::kDefinitionState);
  change = Definitions().changeRequest();
  change.setName("orders");
  change.setState(static_cast<api::DefinitionState>(99));
  EXPECT_EQ(CodeOf(change.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcDefinitions, AreDraftsWhenAskedSo) {
  auto request = Registering(kGood);
  request.getText().setDraft(true);
  const auto answer = Await(request.send());
  EXPECT_EQ(answer.getRegistration().getDefinition().getState(), api::DefinitionState::DRAFT);
}

TEST_F(RpcDefinitions, GiveTheirTextInAnyNotation) {
  Await(Registering(kGood).send());
  auto source = Definitions().sourceRequest();
  source.setName("orders");
  EXPECT_STREQ(Await(source.send()).getText().cStr(), kGood);
  source = Definitions().sourceRequest();
  source.setName("orders");
  source.setDialect("nodes");
  source.setSyntax(api::Syntax::JSON);
  const auto nodes = Await(source.send());
  EXPECT_TRUE(ParseJson(nodes.getText().cStr()).has_value());
  source = Definitions().sourceRequest();
  source.setName("orders");
  source.setDialect("klingon");
  EXPECT_EQ(CodeOf(source.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcDefinitions, OfTaskTypes) {
  auto add = Definitions().registerTypeRequest();
  add.setName("resize");
  add.setDocument(R"({"worker": true, "schema": {"type": "object"}})");
  Do(add.send());
  const auto types = Await(Definitions().typesRequest().send());
  const Value parsed = ParseJson(types.getTypes().cStr()).value();
  ASSERT_EQ(parsed.as_array().size(), 1u);
  EXPECT_EQ(*parsed.as_array()[0].Find("type"), Value("resize"));
  add = Definitions().registerTypeRequest();
  add.setName("script");
  add.setDocument("{}");
  EXPECT_EQ(CodeOf(add.send()), ErrorCode::kInvalidInput);
  auto remove = Definitions().removeTypeRequest();
  remove.setName("resize");
  Do(remove.send());
  remove = Definitions().removeTypeRequest();
  remove.setName("resize");
  EXPECT_EQ(CodeOf(remove.send()), ErrorCode::kUnknownType);
}

}  // namespace
}  // namespace stele::server::rpc
