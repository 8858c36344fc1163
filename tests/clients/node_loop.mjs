// SPDX-License-Identifier: Apache-2.0
// One JSON object a line: what to do, and what came of it. Run by javascript.py.
import { createInterface } from "node:readline";

export const told = JSON.parse(process.argv[2]);
export async function loop(can) {
	for await (const line of createInterface({ input: process.stdin })) {
		const { do: what, key, path } = JSON.parse(line);
		let answer;
		try {
			answer = { value: (await can[what](key, path)) ?? null };
		} catch (e) {
			answer = { error: `${e.name}: ${e.message} ${e.code ?? ""}` };
		}
		process.stdout.write(JSON.stringify(answer) + "\n");
	}
}
