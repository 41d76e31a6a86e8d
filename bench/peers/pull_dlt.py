"""Every record of a cursor-paged list in JSON-lines files: dlt's REST source and its filesystem destination."""

import os
import shutil
import sys
from pathlib import Path

_, base_url, to, records = sys.argv
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"

import dlt
from dlt.sources.rest_api import rest_api_source

folder = Path(to)
shutil.rmtree(folder, ignore_errors=True)
source = rest_api_source(
    {
        "client": {"base_url": base_url + "/v1/", "auth": {"type": "bearer", "token": "made-up-token"}},
        "resources": [
            {
                "name": "records",
                "endpoint": {
                    "path": "records",
                    "data_selector": "data",
                    "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
                },
            }
        ],
    },
    max_table_nesting=0,
)
pipeline = dlt.pipeline(
    pipeline_name="bench",
    pipelines_dir=str(folder / "state"),
    destination=dlt.destinations.filesystem(bucket_url=(folder / "out").as_uri()),
    dataset_name="bench",
)
pipeline.run(source, loader_file_format="jsonl").raise_on_failed_jobs()
files = (folder / "out/bench/records").glob("*.jsonl")
lines = sum(len(file.read_bytes().splitlines()) for file in files)
assert lines == int(records), f"{lines} records"
