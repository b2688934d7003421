// Every form of condition and template that the functional specification prints.
#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

constexpr std::string_view kWorld = R"({
  "input": {"score": 60, "type": "premium", "age": 18, "verified": true, "email": "a@b.c",
            "max_count": 3, "data": ["x", "y"], "field": "f", "value": 7, "user_id": 5,
            "update_data": {"k": 1}},
  "response": {"status": 201, "message": "a success", "data": {"id": 9, "access_token": "t",
               "user_profile": {"name": "n"}}},
  "loop": {"index": 1}, "amount": 1000.5, "outputs": {"production": "true"},
  "previous_task_result": {"status": "approved"}, "failure_rate": 0.25,
  "variables": {"input_file": "in.csv", "batch_size": 100, "api_endpoint": "http://h/",
                "assistant_id": "as"},
  "steps": {"fetch_data": {"output": {"body": {"rows": [1]}}},
            "transform_data": {"output": {"result": [2]}}, "analysis": {"output": {"result": "ok"}}},
  "login": {"user_id": 5, "token": "tok"}, "node_name": {"field": 3}, "execution": {"id": 42},
  "environment": "production", "节点": {"输出": 8}
})";

TEST(SeedForms, ConditionsAndMappingsGiveTheirValues) {
  const Case cases[] = {
      {"{{input.score}} >= 60", "true"},
      {"{{response.status}} == 200", "false"},
      {"{{input.type}} == 'premium'", "true"},
      {"{{response.message}}.contains('success')", "true"},
      {"{{input.age}} >= 18 and {{input.verified}} == true", "true"},
      {"{{response.status}} == 200 or {{response.status}} == 201", "true"},
      {"{{input.email}} is not null", "true"},
      {"{{response.data}} is not empty", "true"},
      {"{{loop.index}} < {{input.max_count}}", "true"},
      {"{{input.data[loop.index]}}", "\"y\""},
      {"${amount > 1000}", "true"},
      {"${amount <= 1000}", "false"},
      {"outputs.production == 'true'", "true"},
      {"outputs.production == 'false'", "false"},
      {"previous_task_result.status == 'approved'", "true"},
      {"failure_rate > 0.1", "true"},
      {"response.data.id", "9"},
      {"response.data.access_token", "\"t\""},
      {"response.data.user_profile", R"({"name":"n"})"},
      {"节点.输出 + 1", "9"},
  };
  ExpectAll(cases, TestEnvironment(kWorld));
}

TEST(SeedForms, TemplatesGiveTheirValues) {
  const Case cases[] = {
      {"{{input.value}}", "7"},
      {"{{input.field}}", "\"f\""},
      {"{{node_name.field}}", "3"},
      {"{{response.data}}", R"({"id":9,"access_token":"t","user_profile":{"name":"n"}})"},
      {"{{loop.index}}", "1"},
      {"{{input.data[loop.index]}}", "\"y\""},
      {"{{execution.id}}", "42"},
      {"{{login.user_id}}", "5"},
      {"{{login.token}}", "\"tok\""},
      {"{{input.update_data}}", R"({"k":1})"},
      {"{{variables.input_file}}", "\"in.csv\""},
      {"{{variables.batch_size}}", "100"},
      {"{{variables.api_endpoint}}", "\"http://h/\""},
      {"{{steps.fetch_data.output.body}}", R"({"rows":[1]})"},
      {"{{steps.transform_data.output.result}}", "[2]"},
      {"请为以下数据生成摘要: {{steps.analysis.output.result}}", "\"请为以下数据生成摘要: ok\""},
      {"{{variables.assistant_id}}", "\"as\""},
      {"Deployment completed for ${environment}", "\"Deployment completed for production\""},
      {"if [[ \"${environment}\" == \"production\" ]]; then",
       R"("if [[ \"production\" == \"production\" ]]; then")"},
  };
  const TestEnvironment environment(kWorld);
  for (const Case& each : cases) {
    const auto rendered = Template::Compile(Value(each.text)).value().Render(environment);
    ASSERT_TRUE(rendered) << each.text << rendered.error().ToString();
    EXPECT_EQ(ToJson(rendered->value), each.expected);
  }
}

TEST(SeedForms, BearerTokenIsLeftOutAndNamed) {
  const auto rendered = Template::Compile(Value("Bearer {{secrets.api_token}}"))
                            .value()
                            .Render(TestEnvironment("{}"))
                            .value();
  EXPECT_EQ(rendered.value, Value("Bearer "));
  EXPECT_EQ(rendered.secrets, (std::vector<SecretUse>{{"", 7, "api_token"}}));
}

}  // namespace
}  // namespace stele::expression
