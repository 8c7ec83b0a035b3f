"""What Python makes for the front end before esbuild runs: python -m web.build."""

from web.catalog_build import compile_all

if __name__ == "__main__":
    compile_all()
