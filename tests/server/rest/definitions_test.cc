// Definitions and task types.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

using http::Method;

constexpr const char* kYaml =
    "version: '1.0'\nname: order\nsteps: [{id: a, type: script, config: {script: x}}]\n";
constexpr const char* kJson =
    R"({"version":"1.0","name":"order","steps":[{"id":"b","type":"script","config":{"script":"x"}}]})";
const http::Headers kAsYaml{{"Content-Type", "application/yaml"}};
const http::Headers kAsJson{{"Content-Type", "application/json; charset=utf-8"}};

TEST(RegisterDefinition, MakesVersions) {
  RestWorld world;
  const Answered first = world.Post("/definitions", kYaml, kAsYaml);
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(first.headers.Get("Location"), "/api/v1/definitions/order/versions/1");
  EXPECT_EQ(first.text("state"), "active");
  EXPECT_GT(first.number("position"), 0);
  EXPECT_EQ(world.Post("/definitions", kYaml, kAsYaml).status, 200);
  const Answered second = world.Post("/definitions?draft=true", kJson, kAsJson);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.number("version"), 2);
  EXPECT_EQ(second.text("state"), "draft");
  EXPECT_EQ(world.Post("/definitions", kYaml).number("version"), 1);
}

TEST(RegisterDefinition, TellsEveryFaultWithItsPlace) {
  RestWorld world;
  const std::string bad =
      "version: '1.0'\nname: order\nsteps:\n  - {id: a, type: nothing}\n"
      "  - {id: b, type: script, config: {script: x}, depends_on: [c]}\n";
  for (const char* path : {"/definitions", "/definitions/validate"}) {
    const Answered refused = world.Post(path, bad, kAsYaml);
    EXPECT_EQ(refused.status, 422) << refused.body;
    ASSERT_EQ(refused.at("errors").as_array().size(), 2u) << refused.body;
    EXPECT_EQ(refused.text("errors/0/code"), "STL0107");
    EXPECT_EQ(refused.number("errors/0/line"), 4);
    EXPECT_EQ(refused.number("errors/1/line"), 5);
  }
  EXPECT_EQ(world.Refusal(422, world.Post("/definitions", "a: [", kAsYaml)), "STL0101");
  EXPECT_EQ(world.Refusal(400, world.Post("/definitions", "{", kAsJson)), "STL0001");
  EXPECT_EQ(world.Refusal(415, world.Post("/definitions", kYaml, {{"Content-Type", "text/html"}})),
            "STL1009");
}

TEST(RegisterDefinition, RefusesPermissionsThatCannotBeRead) {
  RestWorld world;
  const char* const guarded = R"(workflow:
  id: guarded
  name: guarded
  processes:
    - id: main
      name: main
      type: sequential
      tasks: [{id: a, name: a, type: script, executor: bash, inputs: {script: "true"}}]
permissions: [{action: start, roles: [king]}]
)";
  const Answered refused = world.Post("/definitions", guarded, kAsYaml);
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_NE(refused.body.find("king"), std::string::npos) << refused.body;
}

TEST(ValidateDefinition, RegistersNothing) {
  RestWorld world;
  const Answered valid = world.Post("/definitions/validate?name=fallback",
                                    "version: '1.0'\nsteps: [{id: a, type: script, config: "
                                    "{script: x}}]",
                                    kAsYaml);
  EXPECT_EQ(valid.status, 200) << valid.body;
  EXPECT_EQ(valid.text("name"), "fallback");
  EXPECT_EQ(valid.number("steps"), 1);
  EXPECT_TRUE(world.Get("/definitions").at("definitions").as_array().empty());
}

TEST(GetDefinition, ByNameAndVersion) {
  RestWorld world;
  world.Post("/definitions", kYaml);
  world.Post("/definitions", kJson);
  EXPECT_EQ(world.Get("/definitions/order").number("version"), 2);
  EXPECT_EQ(world.Get("/definitions/order/versions/1").number("version"), 1);
  EXPECT_EQ(world.Get("/definitions?name=order").at("definitions").as_array().size(), 2u);
  EXPECT_EQ(world.Refusal(404, world.Get("/definitions/ordre")), "STL0407");
  EXPECT_EQ(world.Refusal(404, world.Get("/definitions?name=ordre")), "STL0407");
  EXPECT_EQ(world.Refusal(404, world.Get("/definitions/order/versions/9")), "STL0407");
  EXPECT_EQ(world.Refusal(400, world.Get("/definitions/order/versions/0")), "STL1008");
  EXPECT_EQ(world.Refusal(400, world.Get("/definitions/order/versions/x")), "STL1008");
}

TEST(GetSource, AsItWasWrittenAndInOtherNotations) {
  RestWorld world;
  world.Post("/definitions", kYaml);
  world.Post("/definitions", kJson);
  const Answered yaml = world.Get("/definitions/order/versions/1/source");
  EXPECT_EQ(yaml.body, kYaml);
  EXPECT_EQ(yaml.content_type, "application/yaml");
  const Answered json = world.Get("/definitions/order/source");
  EXPECT_EQ(json.body, kJson);
  EXPECT_EQ(json.content_type, "application/json");
  const Answered other =
      world.Get("/definitions/order/versions/1/source?dialect=nodes&format=json");
  EXPECT_EQ(other.status, 200) << other.body;
  EXPECT_TRUE(other.at("nodes").is_array()) << other.body;
  EXPECT_TRUE(world.Get("/definitions/order/source?dialect=steps").body.contains("steps:"));
  EXPECT_EQ(world.Refusal(422, world.Get("/definitions/order/source?dialect=bpmn")), "STL0406");
  EXPECT_EQ(world.Refusal(400, world.Get("/definitions/order/source?format=json")), "STL1008");
}

TEST(ChangeDefinition, SaysWhatMayStart) {
  RestWorld world;
  world.Post("/definitions", kYaml);
  const auto state = [&](const std::string& path, const std::string& body = "") {
    const Answered changed = world.Post(path, body);
    EXPECT_EQ(changed.status, 200) << changed.body;
    return changed.status == 200 ? changed.text("state") : "";
  };
  EXPECT_EQ(state("/definitions/order/pause", R"({"reason":"night"})"), "paused");
  EXPECT_EQ(world.Get("/definitions/order").text("reason"), "night");
  EXPECT_EQ(world.Refusal(409, world.Post("/instances", R"({"definition":"order"})")), "STL0411");
  EXPECT_EQ(state("/definitions/order/versions/1/activate"), "active");
  EXPECT_EQ(state("/definitions/order/retire", R"({"version":1})"), "retired");
  EXPECT_EQ(world.Refusal(404, world.Post("/definitions/none/pause")), "STL0407");
  EXPECT_EQ(world.Refusal(404, world.Post("/definitions/order/pause", R"({"version":7})")),
            "STL0407");
  EXPECT_EQ(
      world.Refusal(422, world.Post("/definitions/order/versions/1/pause", R"({"version":1})")),
      "STL0406");
}

TEST(ChangeDefinition, ADraftIsMadeActive) {
  RestWorld world;
  world.Post("/definitions?draft", kYaml);
  EXPECT_EQ(world.Refusal(409, world.Post("/instances", R"({"definition":"order"})")), "STL0411");
  EXPECT_EQ(world.Post("/definitions/order/activate").text("state"), "active");
  world.Start("order");
}

TEST(Types, AreRegisteredUsedAndRemoved) {
  RestWorld world;
  const std::string document =
      R"({"worker":true,"schema":{"type":"object","properties":{"n":{"type":"integer"}}}})";
  const Answered changed = world.Ask(Method::kPut, "/types/resize", document);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.text("type"), "resize");
  EXPECT_EQ(world.Get("/types/resize").at("worker"), Value(true));
  EXPECT_EQ(world.Get("/types").text("types/0/type"), "resize");
  const Answered registered =
      world.Post("/definitions",
                 "version: '1.0'\nname: r\nsteps: [{id: a, type: 'custom:resize', config: "
                 "{n: 1}}]",
                 kAsYaml);
  EXPECT_EQ(registered.status, 201) << registered.body;
  EXPECT_EQ(world.Ask(Method::kDelete, "/types/resize").status, 200);
  EXPECT_EQ(world.Refusal(404, world.Get("/types/resize")), "STL0306");
  EXPECT_EQ(world.Ask(Method::kDelete, "/types/resize").text("code"), "STL0107");
}

TEST(Types, AreRefusedWhenTheirDocumentIsNone) {
  RestWorld world;
  EXPECT_EQ(world.Refusal(422, world.Ask(Method::kPut, "/types/script", "{}")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Ask(Method::kPut, "/types/x", R"({"schema":5})")), "STL0406");
  EXPECT_EQ(world.Refusal(400, world.Ask(Method::kPut, "/types/x", "[]")), "STL0001");
}

}  // namespace
}  // namespace stele::server::rest
