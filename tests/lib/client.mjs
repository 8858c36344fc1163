// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript in its default settings but for the endpoint; run by tests/e2e/Clients.py.
import {
	S3Client, CreateBucketCommand, HeadBucketCommand, PutObjectCommand, GetObjectCommand, HeadObjectCommand,
	ListObjectsV2Command, DeleteObjectCommand, DeleteBucketCommand, ListBucketsCommand, GetBucketLocationCommand,
} from "@aws-sdk/client-s3";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync, createReadStream, unlinkSync } from "node:fs";

const { BUCKET: Bucket, HOME_REGION: home, OTHER_REGION: other } = process.env;
const client = (region, endpoint) => new S3Client({ region, endpoint, forcePathStyle: true });
const eu = client(home, process.env.HOME_ENDPOINT);
const us = client(other, process.env.OTHER_ENDPOINT);

function eq(what, came, expected) {
	if (JSON.stringify(came) !== JSON.stringify(expected)) {
		console.error(`${what}\n  expected: ${JSON.stringify(expected)}\n  came:     ${JSON.stringify(came)}`);
		process.exit(1);
	}
}
const sum = (b) => createHash("sha256").update(b).digest("hex");
const bytes = async (r) => Buffer.from(await r.Body.transformToByteArray());

await us.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: home } }));
eq("home", (await us.send(new HeadBucketCommand({ Bucket }))).BucketRegion, home);
eq("location", (await us.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint, home);
eq("listed", (await us.send(new ListBucketsCommand({}))).Buckets.some((b) => b.Name === Bucket), true);
for (const via of [us, eu]) {
	for (const size of [0, 280, 16384, 3000001]) {
		const Body = randomBytes(size);
		const put = await via.send(new PutObjectCommand({ Bucket, Key: "dir/a b+\u00e9", Body, Metadata: { a: "b" } }));
		eq("ETag", put.ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
		for (const c of [eu, us]) {
			const got = await c.send(new GetObjectCommand({ Bucket, Key: "dir/a b+\u00e9" }));
			eq(`bytes of ${size}`, sum(await bytes(got)), sum(Body));
			eq("metadata", got.Metadata, { a: "b" });
			eq("length", (await c.send(new HeadObjectCommand({ Bucket, Key: "dir/a b+\u00e9" }))).ContentLength, size);
		}
		if (size > 20) {
			const part = await via.send(new GetObjectCommand({ Bucket, Key: "dir/a b+\u00e9", Range: "bytes=5-14" }));
			eq("range", sum(await bytes(part)), sum(Body.subarray(5, 15)));
		}
	}
	// A stream: the SDK sends aws-chunked with a checksum in the trailer.
	const Body = randomBytes(2000003);
	const file = `stream-${process.pid}`;
	writeFileSync(file, Body);
	await via.send(new PutObjectCommand({ Bucket, Key: "stream", Body: createReadStream(file), ContentLength: Body.length }));
	unlinkSync(file);
	eq("bytes of the stream", sum(await bytes(await eu.send(new GetObjectCommand({ Bucket, Key: "stream" })))), sum(Body));
	for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
		await via.send(new PutObjectCommand({ Bucket, Key: "sum", Body, ChecksumAlgorithm }));
		eq(ChecksumAlgorithm, sum(await bytes(await us.send(new GetObjectCommand({ Bucket, Key: "sum" })))), sum(Body));
	}
	const list = await via.send(new ListObjectsV2Command({ Bucket }));
	eq("keys", list.Contents.map((o) => o.Key), ["dir/a b+\u00e9", "stream", "sum"]);
	for (const Key of ["dir/a b+\u00e9", "stream", "sum"]) await via.send(new DeleteObjectCommand({ Bucket, Key }));
	try {
		await via.send(new GetObjectCommand({ Bucket, Key: "stream" }));
		eq("a deleted object", "found", "NoSuchKey");
	} catch (e) {
		eq("a deleted object", e.name, "NoSuchKey");
	}
}
await us.send(new DeleteBucketCommand({ Bucket }));
console.log("all well");
