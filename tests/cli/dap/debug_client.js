// The client with which editors' own debug adapters are tested (@vscode/debugadapter-testsupport),
// against `stele dap`.
// usage: node debug_client.js BINARY DATA PROGRAM LINE
'use strict';
const assert = require('node:assert');
const { DebugClient } = require('@vscode/debugadapter-testsupport');

const [binary, data, program, line] = process.argv.slice(2);

async function withClient(run) {
  const client = new DebugClient(binary, 'dap', 'stele');
  client.defaultTimeout = 60000;
  await client.start();
  try {
    await run(client);
  } finally {
    await client.stop();
  }
}

const launch = { data, instance: 1, program };

async function hitsABreakpoint(client) {
  const location = { path: program, line: Number(line) };
  await client.hitBreakpoint({ ...launch, stopOnEntry: false }, location);
  const { body: { threads } } = await client.threadsRequest();
  assert.strictEqual(threads[0].id, 1);
  const { body: { stackFrames } } = await client.stackTraceRequest({ threadId: 1 });
  const { body: { scopes } } = await client.scopesRequest({ frameId: stackFrames[0].id });
  assert.strictEqual(scopes[0].name, 'Variables');
  const { body: { variables } } =
      await client.variablesRequest({ variablesReference: scopes[0].variablesReference });
  assert.ok(variables.some((each) => each.name === 'order_id' && each.value === '"A-1001"'));
  const { body: { result } } = await client.evaluateRequest(
      { expression: 'order_id', frameId: stackFrames[0].id, context: 'watch' });
  assert.strictEqual(result, '"A-1001"');
}

async function goesBack(client) {
  await Promise.all([client.configurationSequence(), client.launch(launch),
                     client.assertStoppedLocation('entry', { path: program, line: 1 })]);
  assert.strictEqual(client._supportsConfigurationDoneRequest, true);
  const move = async (request, reason) => {
    const stopped = client.waitForEvent('stopped');
    await client[request]({ threadId: 1 });
    assert.strictEqual((await stopped).body.reason, reason);
    return (await client.stackTraceRequest({ threadId: 1 })).body.stackFrames[0].name;
  };
  const forward = [];
  for (let i = 0; i < 6; ++i) forward.push(await move('nextRequest', 'step'));
  assert.strictEqual(new Set(forward).size, forward.length);
  for (const name of forward.slice(0, -1).reverse())
    assert.strictEqual(await move('stepBackRequest', 'step'), name);
  await move('reverseContinueRequest', 'pause');
  await move('continueRequest', 'pause');
}

async function isRefused(client) {
  await client.initializeRequest();
  await assert.rejects(client.launchRequest({ data, instance: 99 }), /STL0401/);
  await assert.rejects(client.customRequest('noSuchRequest'), /STL0004/);
}

(async () => {
  for (const test of [hitsABreakpoint, goesBack, isRefused]) {
    await withClient(test);
    console.log(`${test.name} passed`);
  }
  process.exit(0);
})().catch((fault) => {
  console.error(fault);
  process.exit(1);
});
