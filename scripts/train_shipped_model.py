"""Make the model that ships: `python scripts/train_shipped_model.py DATA_DIR [--out weights/car]`.

DATA_DIR holds labels.csv (path,label,source,car_area) and one zip per source. Pictures are decoded, embedded, trained
on and exported by the modules of `sorter train`. The package `train_car` decides which pictures, and which are held
out. Whatever is chosen is chosen by holding out whole sources, never random rows: photos of one source resemble each
other, and users' photos resemble none of them.

The same data and package versions give the same bytes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_limits
from train_car.card import write_card
from train_car.export import export
from train_car.learn import fit, held_out
from train_car.study import read_study


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the model that ships with sorter.")
    parser.add_argument("data_dir", type=Path, help="folder with labels.csv and one zip per source")
    parser.add_argument("--out", type=Path, default=Path("weights/car"), help="the model folder to write")
    parser.add_argument("--work", type=Path, help="keep photos and features here, for quicker second runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(limits=1, user_api="blas"):
        study = read_study(options.data_dir, options.work or Path(temporary))
        by_source = held_out(study, study.groups)
        by_drive = held_out(study, study.drives)
        head = fit(study, study.folds != 0)
        model = export(study, head, by_source, options.out)
        write_card(model, study, by_source, by_drive, head(study.features)[:, 0])


if __name__ == "__main__":
    main()
