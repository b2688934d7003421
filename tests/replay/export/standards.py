"""What the standards ask of the formats that are exported, as JSON Schemas: written from their rules,
for they are not to be had as packages."""

TEXT = {"type": "string", "minLength": 1}

# CloudEvents 1.0.2, the JSON event format; extensions as the core specification has their types.
CLOUD_EVENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {
        "id": TEXT,
        "source": {**TEXT, "format": "uri-reference"},
        "specversion": {"const": "1.0"},
        "type": TEXT,
        "datacontenttype": TEXT,
        "dataschema": {**TEXT, "format": "uri"},
        "subject": TEXT,
        "time": {**TEXT, "format": "date-time"},
        "data": True,
        "data_base64": {"type": "string", "contentEncoding": "base64"},
    },
    "not": {"required": ["data", "data_base64"]},
    "propertyNames": {"pattern": "^([a-z0-9]+|data_base64)$"},
    # Strings without control characters, integers of 32 bits, booleans.
    "additionalProperties": {"anyOf": [
        {"type": "boolean"},
        {"type": "integer", "minimum": -2147483648, "maximum": 2147483647},
        {"type": "string", "minLength": 1, "pattern": "^[^\u0000-\u001f\u007f-\u009f]*$"},
    ]},
}


def _types(value_types):
    return {"type": "array", "items": {
        "type": "object", "required": ["name", "attributes"], "additionalProperties": False,
        "properties": {"name": TEXT, "attributes": {"type": "array", "items": {
            "type": "object", "required": ["name", "type"], "additionalProperties": False,
            "properties": {"name": TEXT, "type": {"enum": value_types}}}}}}}


_VALUE = {"type": ["string", "number", "boolean"]}
_RELATIONSHIPS = {"type": "array", "items": {
    "type": "object", "required": ["objectId", "qualifier"], "additionalProperties": False,
    "properties": {"objectId": TEXT, "qualifier": {"type": "string"}}}}

# OCEL 2.0, its JSON serialization.
OCEL = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["objectTypes", "eventTypes", "objects", "events"],
    "additionalProperties": False,
    "properties": {
        "objectTypes": _types(["string", "time", "integer", "float", "boolean"]),
        "eventTypes": _types(["string", "time", "integer", "float", "boolean"]),
        "events": {"type": "array", "items": {
            "type": "object", "required": ["id", "type", "time"], "additionalProperties": False,
            "properties": {
                "id": TEXT, "type": TEXT, "time": {"type": "string", "format": "date-time"},
                "attributes": {"type": "array", "items": {
                    "type": "object", "required": ["name", "value"], "additionalProperties": False,
                    "properties": {"name": TEXT, "value": _VALUE}}},
                "relationships": _RELATIONSHIPS}}},
        "objects": {"type": "array", "items": {
            "type": "object", "required": ["id", "type"], "additionalProperties": False,
            "properties": {
                "id": TEXT, "type": TEXT,
                "attributes": {"type": "array", "items": {
                    "type": "object", "required": ["name", "value", "time"],
                    "additionalProperties": False,
                    "properties": {"name": TEXT, "value": _VALUE,
                                   "time": {"type": "string", "format": "date-time"}}}},
                "relationships": _RELATIONSHIPS}}},
    },
}


def ocel_faults(log):
    """What a schema cannot say: names that are declared, ids that are there, and once."""
    faults = []
    declared = {kind: {each["name"]: {a["name"]: a["type"] for a in each["attributes"]}
                       for each in log[kind]} for kind in ("eventTypes", "objectTypes")}
    python_types = {"string": str, "integer": int, "boolean": bool}
    ids = [each["id"] for each in log["objects"]]
    if len(set(ids)) != len(ids):
        faults.append("an object's id occurs twice")
    events = [each["id"] for each in log["events"]]
    if len(set(events)) != len(events):
        faults.append("an event's id occurs twice")
    known = set(ids)
    for kind, entries in (("eventTypes", log["events"]), ("objectTypes", log["objects"])):
        for entry in entries:
            attributes = declared[kind].get(entry["type"])
            if attributes is None:
                faults.append(f"{entry['id']} is of the type {entry['type']}")
                continue
            for each in entry.get("attributes", []):
                wanted = python_types.get(attributes.get(each["name"]))
                if wanted is None or type(each["value"]) is not wanted:
                    faults.append(f"{entry['id']} has {each}")
            for each in entry.get("relationships", []):
                if each["objectId"] not in known:
                    faults.append(f"{entry['id']} refers to {each['objectId']}")
    return faults
