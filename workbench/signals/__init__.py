"""Quality signals: what can be said of texts without asking anybody; they see Parquet files, never the store."""
