// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript v3, in its default settings but for endpoint, style and retries.
import {
	S3Client, HeadBucketCommand, ListObjectsV2Command, PutObjectCommand, GetObjectCommand, HeadObjectCommand, DeleteObjectCommand,
	CreateMultipartUploadCommand, UploadPartCommand, CompleteMultipartUploadCommand,
} from "@aws-sdk/client-s3";
import { readFileSync, writeFileSync } from "node:fs";
import { loop, told } from "./node_loop.mjs";

const Bucket = told.bucket, PART = 5 << 20;
const s3 = new S3Client({
	endpoint: told.endpoint, region: told.region, forcePathStyle: told.pathStyle, followRegionRedirects: told.follow, maxAttempts: 1,
	credentials: { accessKeyId: told.key, secretAccessKey: told.secret },
});

async function inParts(Key, body) {
	const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
	const Parts = [];
	for (let at = 0, PartNumber = 1; at < body.length; at += PART, PartNumber++) {
		const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: body.subarray(at, at + PART) }));
		Parts.push({ ETag, PartNumber });
	}
	await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}

loop({
	headBucket: async () => void await s3.send(new HeadBucketCommand({ Bucket })),
	list: async () => (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents.map((x) => x.Key),
	put: async (Key, path) => {
		const body = readFileSync(path);
		if (body.length > PART)
			await inParts(Key, body);
		else
			await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
	},
	get: async (Key, path) => {
		const r = await s3.send(new GetObjectCommand({ Bucket, Key }));
		writeFileSync(path, await r.Body.transformToByteArray());
	},
	head: async (Key) => (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength,
	delete: async (Key) => void await s3.send(new DeleteObjectCommand({ Bucket, Key })),
});
