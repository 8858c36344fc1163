// SPDX-License-Identifier: Apache-2.0
// Upload of @aws-sdk/lib-storage in its default settings but for the endpoint; run by tests/e2e/Applications.py.
import { S3Client, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";

const { BUCKET: Bucket, REGION: region, ENDPOINT: endpoint } = process.env;
const client = new S3Client({ region, endpoint, forcePathStyle: true });

function eq(what, came, expected) {
	if (JSON.stringify(came) !== JSON.stringify(expected)) {
		console.error(`${what}\n  expected: ${JSON.stringify(expected)}\n  came:     ${JSON.stringify(came)}`);
		process.exit(1);
	}
}
const sum = (b) => createHash("sha256").update(b).digest("hex");
const MiB = 1 << 20;
// Pieces of odd sizes and no length, as what a program makes while it runs.
function* pieces(b) {
	for (let i = 0, n = 1; i < b.length; i += n, n = (n * 3 + 1000) % 300007) yield b.subarray(i, i + n);
}

for (const [name, size, parts, more] of [
	["empty", 0, 0, {}], ["small", 300, 0, {}], ["exact", 10 * MiB, 2, {}], ["odd \u00e9+", 17 * MiB + 3, 4, {}],
	["summed", 11 * MiB, 3, { ChecksumAlgorithm: "SHA256" }], ["whole", 11 * MiB, 3, { ChecksumAlgorithm: "CRC64NVME" }],
]) {
	const body = randomBytes(size);
	let seen = 0;
	const up = new Upload({ client, queueSize: 3, params: { Bucket, Key: name, Body: Readable.from(pieces(body)), ContentType: "x/y", Metadata: { a: "b" }, Tagging: "t=v", ...more } });
	up.on("httpUploadProgress", (p) => { seen = p.loaded; });
	const done = await up.done();
	eq(`${name}: key`, done.Key, name);
	eq(`${name}: progress`, seen, size);
	const got = await client.send(new GetObjectCommand({ Bucket, Key: name, ChecksumMode: "ENABLED" }));
	eq(`${name}: bytes`, sum(Buffer.from(await got.Body.transformToByteArray())), sum(body));
	eq(`${name}: ETag`, got.ETag, done.ETag);
	eq(`${name}: type, metadata, tags`, [got.ContentType, got.Metadata, got.TagCount], ["x/y", { a: "b" }, 1]);
	if (parts) eq(`${name}: parts`, (await client.send(new HeadObjectCommand({ Bucket, Key: name, PartNumber: 1 }))).PartsCount, parts);
}

// A producer that fails and one who gives up: nothing is there, and no upload is left.
async function* breaks() {
	yield randomBytes(6 * MiB);
	yield randomBytes(6 * MiB);
	throw new Error("the producer broke");
}
let failed = "";
await new Upload({ client, params: { Bucket, Key: "broken", Body: Readable.from(breaks()) } }).done().catch((e) => { failed = e.message; });
eq("the producer's error", failed, "the producer broke");
const slow = new PassThrough();
const up = new Upload({ client, params: { Bucket, Key: "given up", Body: slow } });
const end = up.done().then(() => "done", (e) => e.name);
slow.write(randomBytes(6 * MiB));
await new Promise((r) => up.once("httpUploadProgress", r));
await up.abort();
slow.end();
eq("one who gives up", await end, "AbortError");
for (const Key of ["broken", "given up"]) {
	const e = await client.send(new HeadObjectCommand({ Bucket, Key })).then(() => "there", (e) => e.name);
	eq(Key, e, "NotFound");
}
eq("uploads that are left", (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], []);
console.log("all well");
