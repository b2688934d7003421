"""Small workflow files that several tests share."""

APPROVAL = """
name: "expense"
variables:
  amount: 10
steps:
  - id: "review"
    type: "approval"
    config: {assignees: ["anna", "bo"], groups: ["ops"], min_approvers: 2, title: "Check the bill"}
  - id: "pay"
    type: "script"
    depends_on: ["review"]
    config: {runtime: "bash", script: "echo paid=yes >> outputs"}
"""
MANUAL = """
name: "parcel"
steps:
  - id: "pack"
    type: "manual"
    config: {assignees: ["anna"]}
  - id: "ship"
    type: "script"
    depends_on: ["pack"]
    input_mapping: {parcel: "{{variables.parcel}}"}
    config: {runtime: "bash", script: "echo \\"shipped=$STELE_INPUT\\" >> outputs"}
"""
MESSAGE = """
name: "payment"
variables:
  order: "A-17"
steps:
  - id: "paid"
    type: "message"
    config: {action: "wait", name: "payment", key: "{{variables.order}}"}
  - id: "thank"
    type: "script"
    depends_on: ["paid"]
    config: {runtime: "bash", script: "echo thanked=yes >> outputs"}
"""
SIGNAL = """
name: "gate"
steps:
  - id: "open"
    type: "signal"
    config: {name: "go"}
  - id: "walk"
    type: "script"
    depends_on: ["open"]
    config: {runtime: "bash", script: "echo walked=yes >> outputs"}
"""
TWO_STEPS = """
name: "two"
variables:
  word: "hello"
steps:
  - id: "first"
    type: "script"
    config: {runtime: "bash", script: "echo one=1 >> outputs"}
  - id: "second"
    type: "script"
    depends_on: ["first"]
    config: {runtime: "bash", script: "echo two=2 >> outputs"}
"""
FAILS = """
name: "fails"
steps:
  - id: "first"
    type: "script"
    config: {runtime: "bash", script: "test -e $STELE_WORKSPACE/mended"}
  - id: "second"
    type: "script"
    depends_on: ["first"]
    config: {runtime: "bash", script: "echo done=yes >> outputs"}
"""
PARKS = FAILS.replace('name: "fails"', 'name: "parks"\nerror_handling: {strategy: "park"}')
