# SPDX-License-Identifier: Apache-2.0
"""boto3, in this process."""
from common import *  # noqa: F403
from common import KEY, SECRET, Driver


class Boto3(Driver):
    name = "boto3"

    @staticmethod
    def version():
        import boto3
        return boto3.__version__

    def __init__(self, at):
        super().__init__(at)
        import boto3
        from botocore.config import Config
        self.s3 = boto3.session.Session().client("s3", endpoint_url=at.endpoint, region_name=at.region.name, aws_access_key_id=KEY, aws_secret_access_key=SECRET, verify=at.ca,
                                                 config=Config(s3={"addressing_style": at.style}, retries={"max_attempts": 1}))

    def head_bucket(self):
        self.s3.head_bucket(Bucket=self.at.bucket)

    def list(self):
        return [x["Key"] for x in self.s3.list_objects_v2(Bucket=self.at.bucket)["Contents"]]

    def put(self, key, path):
        self.s3.upload_file(path, self.at.bucket, key)

    def get(self, key, path):
        self.s3.download_file(self.at.bucket, key, path)

    def head(self, key):
        return self.s3.head_object(Bucket=self.at.bucket, Key=key)["ContentLength"]

    def delete(self, key):
        self.s3.delete_object(Bucket=self.at.bucket, Key=key)


DRIVERS = [Boto3]
